"""The replica, its scripted model and the routes of OpenAI, for every test here."""

from __future__ import annotations

from tests.support.replica_rig import behind, rig, routes, words

__all__ = ["behind", "rig", "routes", "words"]
