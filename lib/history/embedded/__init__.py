"""The Redis-compatible server that the app starts itself when none is configured."""
