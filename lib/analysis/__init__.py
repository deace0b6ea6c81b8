"""What can be said of a stored conversation without asking a model: its requests, decisions, cost, and how it would go
under other settings."""
