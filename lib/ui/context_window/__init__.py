"""The context-window page: one request looked at, what changed, a lost fact, the next request."""
