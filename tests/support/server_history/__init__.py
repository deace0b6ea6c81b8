"""Servers that keep the history, real and fake, and turns through them."""
