"""Shared by all pages: setup, menu, session state, services, errors."""
