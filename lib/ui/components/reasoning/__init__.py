"""Draws the reasoning of turns: the line under a reply, and whether it was sent back."""
