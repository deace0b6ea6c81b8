"""Turns through a ServerHistory, and the endpoint of a server that a test starts."""

from __future__ import annotations

from lib.server_history import Handle, ServerHistory, ServerTurn
from lib.settings import Endpoint


def openai_endpoint(url: str, model: str = "m") -> Endpoint:
    """An endpoint that speaks OpenAI's protocol; its label is "It"."""
    return Endpoint("it", "openai", "It", base_url=url, model=model)


def last_turn(history: ServerHistory, handle: Handle, text: str = "Hello") -> ServerTurn:
    """Send one message, read the whole stream, and return the turn at its end."""
    *_, turn = history.send(handle, text)
    assert isinstance(turn, ServerTurn)
    return turn
