"""Reads what is stored about a session, the fields of its about hash."""

from __future__ import annotations

from collections.abc import Mapping

from lib import outside_values
from lib.context.candidates import Summary
from lib.errors import CorruptHistory
from lib.history import About, Import, serialization
from lib.history.sessions import Parent, Share

SHARES: dict[bytes, Share] = {b"read": "read", b"write": "write"}


def unpack_about(stored: Mapping[bytes, bytes]) -> About:
    """Parse the fields of the about hash. Raises CorruptHistory."""
    try:
        created = stored.get(b"created_at")
        return About(
            stored.get(b"title", b"").decode(errors="replace"),
            None if created is None else outside_values.moment(float(created)),
            serialization.json_object(stored.get(b"settings", b"{}")),
            _marked(stored, b"muted:"),
            _marked(stored, b"pinned:"),
            _summaries(stored.get(b"summaries", b"[]")),
            serialization.json_object(stored.get(b"handles", b"{}")),
            _imports(stored),
            serialization.json_object(stored.get(b"prices", b"{}")),
            *unpack_belonging(stored),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raw = stored.get(b"settings", b"")
        raise CorruptHistory("What is kept about this session cannot be read.", raw=raw, where="about") from exc


def unpack_belonging(stored: Mapping[bytes, bytes | None]) -> tuple[str, Share, Parent | None, bool]:
    """Owner, share, parent and whether the session is pinned. What cannot be used counts as missing."""
    owner = (stored.get(b"owner") or b"").decode(errors="replace")
    share = SHARES.get(stored.get(b"share") or b"", "")
    try:
        held = serialization.from_json(stored.get(b"parent") or b"{}")
        parent = Parent(str(held["session_id"]), int(held["messages"]), str(held.get("how", "fork")))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        parent = None
    return owner, share, parent, stored.get(b"session_pinned") == b"1"


def _marked(stored: Mapping[bytes, bytes], mark: bytes) -> frozenset[int]:
    return frozenset(int(name.removeprefix(mark)) for name in stored if name.startswith(mark))


def _summaries(raw: bytes) -> tuple[Summary, ...]:
    return tuple(Summary.from_dict(summary) for summary in serialization.json_object(raw, list))


def _imports(stored: Mapping[bytes, bytes]) -> tuple[Import, ...]:
    records = [serialization.json_object(raw) for name, raw in stored.items() if name.startswith(b"import:")]
    imports = [
        Import(int(r["first"]), int(r["count"]), str(r["source"]), float(r["imported_at"]), r.get("whole") is True)
        for r in records
    ]
    return tuple(sorted(imports, key=lambda each: (each.first, each.imported_at)))
