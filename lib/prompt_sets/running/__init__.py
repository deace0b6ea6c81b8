"""Carries out runs in threads of their own, outside of any page."""
