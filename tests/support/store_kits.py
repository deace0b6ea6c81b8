"""A store under test, with what a test may do to it behind its back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Kit:
    """A store, and what a test may do to it behind its back. `client` is None where there are no keys."""

    store: Any
    client: Any
    age: Callable[[str, float], None]
    """Make a session's live record look older, by seconds."""


def aged_record(client: Any) -> Callable[[str, float], None]:
    def age(session_id: str, seconds: float) -> None:
        key = f"{{chat:{session_id}}}:live"
        found = re.sub(rb'"beat":([\d.]+)', lambda m: b'"beat":%f' % (float(m[1]) - seconds), client.get(key), count=1)
        client.set(key, found, keepttl=True)

    return age
