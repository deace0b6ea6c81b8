"""Finds the branches of a conversation that is stored as a tree of messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib.transfer import limits


@dataclass(frozen=True, slots=True)
class Branches:
    """Paths of message ids from the root to a leaf, the current one first. `more` were found and are not listed.

    `error` says what is wrong with the tree; the paths are empty then. `broken` is an id whose parent is missing.
    """

    paths: tuple[tuple[str, ...], ...] = ()
    more: int = 0
    error: str = ""
    broken: str = ""


def branches(parents: Mapping[str, str | None], current: str | None) -> Branches:
    """The branches of a tree in which each id has a parent, None at the root. Ids are in the order of the file.

    `current` is the leaf of the current branch. If it is unknown, the last leaf counts as current.
    """
    inner = {parent for parent in parents.values() if parent is not None}
    leaves = [node for node in parents if node not in inner]
    if current not in parents:
        current = leaves[-1] if leaves else None
    if current is None:
        return Branches(error="its messages are linked in a circle" if parents else "it has no messages")
    paths: list[tuple[str, ...]] = []
    broken = ""
    chosen = [current, *(leaf for leaf in leaves if leaf != current)]
    for leaf in chosen[: limits.MOST_BRANCHES]:
        path, root = _path(parents, leaf)
        if root is None:
            return Branches(error="its messages are linked in a circle")
        broken = broken or ("" if parents[root] is None else root)
        paths.append(path)
    return Branches(tuple(paths), max(0, len(chosen) - limits.MOST_BRANCHES), broken=broken)


def branch_name(place: int, total: int) -> str:
    """What a branch is called; empty for the current one. Example: branch_name(1, 3) -> "branch 2 of 3" """
    return f"branch {place + 1} of {total}" if place else ""


def _path(parents: Mapping[str, str | None], leaf: str) -> tuple[tuple[str, ...], str | None]:
    """The ids from the root to this one, and the root; None as the root for a circle."""
    path: dict[str, None] = {}
    node: str | None = leaf
    while node is not None and node in parents:
        if node in path:
            return (), None
        path[node] = None
        node = parents[node]
    ids = tuple(reversed(path))
    return ids, ids[0]
