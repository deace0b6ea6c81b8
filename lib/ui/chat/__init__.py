"""The parts of the chat page: transcript, live reply, composer, sidebar."""
