"""Starts the app or one of its pages, and looks at it as a person does."""
