"""The parts of the sessions page."""
