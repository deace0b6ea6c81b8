"""The chat page: transcript, live reply, composer, sidebar."""
