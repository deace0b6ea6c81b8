"""Loads the fixtures for a replica, its scripted model, and a server with set answers."""

from __future__ import annotations

from tests.support.server_history.connected_replica import recording_model, replica, routes, word_model

__all__ = ["recording_model", "replica", "routes", "word_model"]
