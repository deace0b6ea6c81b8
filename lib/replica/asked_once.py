"""Has the model asked once for each request: whoever sends the same one again gets the same reply.

Lanes side by side can then be compared. Left to itself, the small model may answer the same request in two ways, even
at temperature 0: requests that are computed together round differently, and where its two best tokens are close, that
decides. One reply that differs makes all later requests differ.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.replica.reply import ReplyEnd

MOST_REPLIES = 300
"""Replies remembered. Those not used for longest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply, piece by piece as it streamed, and how it ended."""

    pieces: tuple[str, ...]
    end: ReplyEnd


class AskedOnce:
    """The replies by request. Safe to share between threads."""

    def __init__(self, most: int = MOST_REPLIES) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._most = most

    def get(self, key: str) -> Answer | None:
        """The reply to this request, if the model has given one."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def keep(self, key: str, answer: Answer) -> None:
        """Remember a reply that came to its end."""
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)


def request_key(messages: Sequence[Mapping[str, Any]], limit: int, options: Mapping[str, Any] | None = None) -> str:
    """The same for requests to be answered alike: with the same messages, limit in tokens, and sampling options."""
    texts = [[message.get("role"), message.get("content")] for message in messages]
    return json.dumps([texts, limit, dict(options or {})], sort_keys=True, default=str)
