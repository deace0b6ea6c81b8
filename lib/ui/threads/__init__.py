"""The parts of the page "Who keeps the history"."""
