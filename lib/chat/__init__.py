"""Sending a message: the service that pages ask, and the two threads that answer one turn."""
