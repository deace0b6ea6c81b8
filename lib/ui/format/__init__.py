"""Formats numbers and text for people."""
