"""Analyses a stored conversation without asking a model: its requests, decisions, costs and replays."""
