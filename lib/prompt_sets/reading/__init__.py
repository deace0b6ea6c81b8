"""Reads prompt sets from files and pasted text. A file that cannot be read is refused line by line, and whole."""
