"""Conversations that other libraries keep on the same Redis: their formats, and the session ids they have here.

They are only read. Such an id is `ext.<format>.<the key in base64url>`, or `ext.<format>.sha256.<digest of the key>`
where that would be too long for a session id. It names one conversation: a key of the library, or the part that all its
keys begin with.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from lib.errors import ForeignSession
from lib.history import valid_session_id

FORMATS = {
    "openai-agents": "openai-agents",
    "langchain": "langchain-redis",
    "redisvl": "RedisVL",
    "langgraph": "LangGraph",
    "json": "JSON array",
}
"""What each format is called on pages, by its name in an id."""
READ_ONLY = ForeignSession().what
"""The sentence for a box that cannot be typed in."""

_ID = re.compile(r"ext\.(?P<format>[a-z-]+)\.(?:sha256\.(?P<digest>[0-9a-f]{64})|(?P<key>[A-Za-z0-9_-]+))")


@dataclass(frozen=True, slots=True)
class Address:
    """What an id names: a conversation of this format, by its key or by the SHA-256 of its key."""

    format: str
    key: bytes | None
    digest: str = ""


def foreign_id(format_name: str, key: bytes) -> str:
    """The session id of another library's conversation, always a valid one.

    Example: foreign_id("json", b"conv:1") -> "ext.json.Y29udjox"
    """
    encoded = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    short = f"ext.{format_name}.{encoded}"
    return short if valid_session_id(short) else f"ext.{format_name}.sha256.{hashlib.sha256(key).hexdigest()}"


def address_of(session_id: str) -> Address | None:
    """What this id names, or None if it is not the id of another library's conversation."""
    found = _ID.fullmatch(session_id)
    if found is None or found["format"] not in FORMATS:
        return None
    if found["digest"]:
        return Address(found["format"], None, found["digest"])
    try:
        key = base64.urlsafe_b64decode(found["key"] + "=" * (-len(found["key"]) % 4))
    except binascii.Error:
        return None
    return Address(found["format"], key) if foreign_id(found["format"], key) == session_id else None


def format_of(session_id: str) -> str:
    """The label of the format, or "" for a session of this app.

    Example: format_of("ext.redisvl.c3VwcG9ydDpzLTc") -> "RedisVL"; format_of("my-chat") -> ""
    """
    address = address_of(session_id)
    return "" if address is None else FORMATS[address.format]
