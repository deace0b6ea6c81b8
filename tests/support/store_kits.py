"""A store under test, with access to its keys and its clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Kit:
    """A store under test. `client` is a Redis client of its keys, None for a memory store."""

    store: Any
    client: Any
    age: Callable[[str, float], None]
    """Make a session's live turn look this many seconds older."""


def aged_record(client: Any) -> Callable[[str, float], None]:
    def age(session_id: str, seconds: float) -> None:
        key = f"{{chat:{session_id}}}:live"
        found = re.sub(rb'"beat":([\d.]+)', lambda m: b'"beat":%f' % (float(m[1]) - seconds), client.get(key), count=1)
        client.set(key, found, keepttl=True)

    return age
