"""The parts of the tab that shows the open session."""
