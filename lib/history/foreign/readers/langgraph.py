"""Reads threads of LangGraph's Redis checkpoints (langgraph-checkpoint-redis 0.5). They need a server with RedisJSON.

    checkpoint_latest:<thread>:__empty__     string   the key of the newest checkpoint (RedisSaver)
    checkpoint:<thread>:__empty__:<id>       JSON     a checkpoint, with the whole state inline
    checkpoint:<thread>:                     JSON     the only checkpoint of a thread (ShallowRedisSaver)

The messages are those of the newest checkpoint, in its channel `messages`, or else in the first channel that holds any.
Threads inside a thread (subgraphs) are not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lib import outside_values
from lib.errors import CorruptHistory
from lib.history.foreign.access import Access, Part, Wrong, gone, too_large
from lib.history.foreign.readers import Found, Glance
from lib.history.foreign.readers.langchain_messages import from_stored
from lib.history.foreign.readers.odd_values import json_text
from lib.messages import Message

LATEST, CHECKPOINT, TOP = b"checkpoint_latest:", b"checkpoint:", b":__empty__"
CHANNELS, CHANNEL, TIME = "$.checkpoint.channel_values", "$.checkpoint.channel_values.messages", "$.checkpoint.ts"
POINTER_BYTES = 4_096
"""Longest key that a pointer may name."""


class LangGraphReader:
    """A conversation is the pointer to the newest checkpoint, or the only checkpoint."""

    format = "langgraph"
    is_family = False

    def session_of(self, key: bytes) -> bytes | None:
        points = key.startswith(LATEST) and key.endswith(TOP) and len(key) > len(LATEST + TOP)
        shallow = key.startswith(CHECKPOINT) and key.endswith(b":") and len(key) > len(CHECKPOINT) + 1
        return key if points or shallow else None

    def title(self, session: bytes) -> str:
        thread = session.removeprefix(LATEST).removesuffix(TOP) if session.startswith(LATEST) else session[:-1]
        return thread.removeprefix(CHECKPOINT).decode(errors="replace")

    def glance(self, access: Access, found: Found) -> Glance:
        key = _checkpoint(access, found.session)
        length, time = access.answers([("JSON.ARRLEN", key, CHANNEL), ("JSON.GET", key, TIME)])
        count = length[0] if isinstance(length, list) and length else None
        return Glance(outside_values.count(count), None, _moment(time), access.size(key))

    def fetch(self, access: Access, keys: Sequence[bytes]) -> tuple[Part, ...]:
        parts = access.each([_checkpoint(access, keys[0])], "JSON.GET", CHANNELS)
        if not parts:
            raise gone()
        return parts

    def messages(self, parts: Sequence[Part]) -> list[Message]:
        if parts and isinstance(parts[0], Wrong):
            raise CorruptHistory(f"The checkpoint cannot be read: {parts[0].what}.", where="key type")
        found = json_text(list(parts))
        channels = found[0] if isinstance(found, list) and found else None
        stored = _messages_channel(channels) if isinstance(channels, Mapping) else None
        if stored is None:
            raw = next((part for part in parts if isinstance(part, bytes)), b"")
            raise CorruptHistory("The newest checkpoint of this thread holds no messages.", raw=raw, where="channels")
        return [from_stored(each) for each in stored]


def _checkpoint(access: Access, session: bytes) -> bytes:
    """The key of the newest checkpoint. Raises CorruptHistory for a pointer to something else."""
    if not session.startswith(LATEST):
        return session
    access.expect(session, "string", "LangGraph")
    key = access.text(session, POINTER_BYTES)
    if key is None:
        raise too_large()
    if not key.startswith(CHECKPOINT):
        raise CorruptHistory("The pointer to the newest checkpoint names something else.", raw=key, where="pointer")
    return key


def _messages_channel(channels: Mapping[str, Any]) -> list[Any] | None:
    named = channels.get("messages")
    if isinstance(named, list):
        return named
    lists = (value for value in channels.values() if isinstance(value, list) and value)
    return next((value for value in lists if all(_is_message(each) for each in value)), None)


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and ("kwargs" in value or {"role", "content"} <= set(value))


def _moment(answer: Any) -> float | None:
    """The time in '["2026-11-26T16:24:59+00:00"]', in seconds since the epoch."""
    try:
        (text,) = json_text([answer])
        return outside_values.moment(datetime.fromisoformat(text).timestamp())
    except (ValueError, TypeError, OverflowError, OSError, CorruptHistory):
        return None
