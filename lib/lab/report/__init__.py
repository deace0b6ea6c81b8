"""The lab's results as files: a JSON report that can be opened again, and CSV."""
