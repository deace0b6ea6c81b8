"""Anthropic's Messages and message threads, as the replica serves them."""
