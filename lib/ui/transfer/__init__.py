"""The panels that bring conversations in from files, and take them out as files."""
