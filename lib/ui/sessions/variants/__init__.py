"""Compares the open session with others, and sends its questions again."""
