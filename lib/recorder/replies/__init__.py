"""Reads the answers of the three protocols from a copy of their bytes, as they come."""
