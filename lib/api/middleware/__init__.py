"""What every request and answer of the app passes through, as ASGI middleware."""
