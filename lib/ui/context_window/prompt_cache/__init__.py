"""The box that says why the prompt cache could not reuse more of a request."""
