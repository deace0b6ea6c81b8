"""The lab's results as files: JSON reports that can be opened again, and CSV."""
