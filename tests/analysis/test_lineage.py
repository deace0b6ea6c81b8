"""The family of a session: ancestors above, forks below, and no end where a stored record makes a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.analysis.lineage import MOST_RELATIVES, family
from lib.history.sessions import Parent, SessionRow


class Family:
    """Sessions by the id of the one they were forked from."""

    def __init__(self, parents: Mapping[str, str | None], gone: frozenset[str] = frozenset()) -> None:
        self.parents = parents
        self.gone = gone

    def row(self, session_id: str) -> SessionRow | None:
        if session_id in self.gone or session_id not in self.parents:
            return None
        parent = self.parents[session_id]
        return SessionRow(session_id, parent=None if parent is None else Parent(parent, 2))

    def children(self, session_id: str) -> Sequence[SessionRow]:
        rows = [self.row(each) for each, parent in self.parents.items() if parent == session_id]
        return [row for row in rows if row is not None]


def drawn(store: Family, session_id: str) -> list[str]:
    return [f"{'.' * each.depth}{each.session_id}{'' if each.row else '?'}" for each in family(store, session_id)]


def test_ancestors_stand_above_and_each_fork_below_the_one_it_came_from() -> None:
    store = Family({"a": None, "b": "a", "c": "b", "d": "c", "e": "b", "other": "a"})
    assert drawn(store, "b") == ["a", ".b", "..c", "...d", "..e"]
    assert drawn(store, "a") == ["a", ".b", "..c", "...d", "..e", ".other"]
    assert drawn(store, "nobody") == []


def test_a_parent_that_is_gone_is_named_and_a_circle_ends() -> None:
    assert drawn(Family({"a": None, "b": "a"}, frozenset("a")), "b") == ["a?", ".b"]
    assert drawn(Family({"a": "b", "b": "a"}), "a") == ["b", ".a"]
    assert drawn(Family({"a": "a"}), "a") == ["a"]


def test_a_large_family_is_cut_off() -> None:
    many = {"a": None} | dict.fromkeys((f"fork-{n}" for n in range(500)), "a")
    assert len(family(Family(many), "a")) == MOST_RELATIVES
