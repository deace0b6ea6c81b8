"""Finds where a session was forked from, and what was forked from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.history.sessions import Parent, SessionRow

MOST_ANCESTORS = 20
MOST_RELATIVES = 60
"""Sessions in one family tree."""


class Rows(Protocol):
    """The part of a store that knows how sessions are related."""

    def row(self, session_id: str) -> SessionRow | None: ...
    def children(self, session_id: str) -> Sequence[SessionRow]: ...


@dataclass(frozen=True, slots=True)
class Relative:
    """One session of a family. `depth` counts from 0, which is the oldest one that is known.

    `row` is None for a session that is gone. `parent` says how it came from the one above it.
    """

    session_id: str
    depth: int
    row: SessionRow | None
    parent: Parent | None


def family(store: Rows, session_id: str) -> list[Relative]:
    """The session with its ancestors above it and everything that was forked from it below, in the order of a tree.

    Empty if the session does not exist. Raises HistoryUnavailable.
    Example: b was forked from a, and c from b: family(store, "b") -> a, b, c at depths 0, 1, 2
    """
    own = store.row(session_id)
    if own is None:
        return []
    above = _ancestors(store, own)
    lines = [Relative(each.session_id, depth, each.row, each.parent) for depth, each in enumerate(above)]
    seen = {each.session_id for each in lines} | {session_id}
    todo = [Relative(session_id, len(lines), own, own.parent)]
    while todo and len(lines) < MOST_RELATIVES:
        each = todo.pop()
        lines.append(each)
        forks = [row for row in store.children(each.session_id) if row.session_id not in seen]
        seen.update(row.session_id for row in forks)
        todo += [Relative(row.session_id, each.depth + 1, row, row.parent) for row in reversed(forks)]
    return lines


def _ancestors(store: Rows, own: SessionRow) -> list[Relative]:
    """Parent, grandparent and so on, the oldest first. Ends at one that is gone, and where a circle would begin."""
    found: list[Relative] = []
    seen, parent = {own.session_id}, own.parent
    while parent is not None and parent.session_id not in seen and len(found) < MOST_ANCESTORS:
        row = store.row(parent.session_id)
        found.append(Relative(parent.session_id, 0, row, row.parent if row is not None else None))
        seen.add(parent.session_id)
        parent = row.parent if row is not None else None
    return found[::-1]
