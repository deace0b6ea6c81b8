"""Computes everything a stored conversation tells without asking a model: requests, decisions, costs and replays."""
