"""The parts of the context-window page: one request, what changed, a lost fact, the next request."""
