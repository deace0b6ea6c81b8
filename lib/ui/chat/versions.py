"""Versions of an exchange: a retried or edited one replaces the one before it, which stays stored but is not sent.

The chat draws the newest version, and below it a way to leaf through the earlier ones. What replaced what is read from
the records of the turns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.messages import Message
from lib.turns import Turn
from lib.ui.chat import state


@dataclass(frozen=True, slots=True)
class Versions:
    """Exchanges by the stored index of their user message.

    `of` holds, by the newest version, all versions, oldest first. `replaced` are the earlier ones, which are not drawn
    at their own place.
    """

    of: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    replaced: frozenset[int] = frozenset()

    @property
    def earliest(self) -> int | None:
        """The earliest of all versions that a person can leaf to; None where there are none."""
        return min((each[0] for each in self.of.values()), default=None)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message that is drawn. `exchange` and `newest` are user messages: of the exchange that it belongs to, and of
    the newest version of that exchange. `last` is whether it is the last message of its exchange.
    """

    index: int
    exchange: int | None
    newest: int | None
    last: bool

    @property
    def replaced(self) -> bool:
        """Whether it belongs to an earlier version."""
        return self.exchange != self.newest

    @property
    def place(self) -> int:
        """Where it is drawn, as a stored index."""
        return self.newest if self.replaced and self.newest is not None else self.index


def find(turns: Mapping[int, Turn], muted: Collection[int], replaced_now: int | None = None) -> Versions:
    """The versions that these turns tell of. `turns` are by the stored index of their user message.

    Only a muted exchange counts as replaced: one that a person unmuted is sent again, and so it is a part of the
    conversation. `replaced_now` is replaced by the turn that is being answered.
    """
    before = {by: turn.replaces for by, turn in turns.items() if turn.replaces is not None and turn.replaces < by}
    replaced_by = {before[by]: by for by in sorted(before)}  # the latest counts where two replaced the same one
    gone = {at for at in replaced_by if at in muted}
    of: dict[int, tuple[int, ...]] = {}
    for newest in set(replaced_by.values()) - gone - {replaced_now}:
        versions, at = [newest], newest
        while at in before and before[at] in gone and replaced_by[before[at]] == at:
            at = before[at]
            versions.append(at)
        if len(versions) > 1:
            of[newest] = tuple(reversed(versions))
    return Versions(of, frozenset(gone if replaced_now is None else gone | {replaced_now}))


def shown(session_id: str, versions: Versions, newest: int) -> int:
    """The version that a person leafed to; the newest one by default."""
    chosen = state.shown_version(session_id, newest)
    return chosen if chosen in versions.of.get(newest, ()) else newest


def messages(history: Sequence[Message], exchange: int) -> range:
    """Stored indexes of the messages of the exchange that begins at this user message."""
    stop = exchange + 1
    while stop < len(history) and history[stop].role != "user":
        stop += 1
    return range(exchange, stop)


def own_places(history: Sequence[Message], start: int, versions: Versions) -> int:
    """How many messages from the stored index `start` on are drawn at their own place."""
    hidden = (messages(history, at) for at in versions.replaced if at < len(history))
    return len(history) - start - sum(len(range(max(start, own.start), own.stop)) for own in hidden)


def drawn(session_id: str, history: Sequence[Message], start: int, versions: Versions) -> Iterator[Drawn]:
    """The messages to draw from the stored index `start` on, in order."""
    if start >= len(history):
        return
    first = next((at for at in range(start, -1, -1) if history[at].role == "user"), None)
    if first is None:  # nobody has said anything yet at `start`
        first = next((at for at in range(start, len(history)) if history[at].role == "user"), len(history))
        yield from (Drawn(at, None, None, False) for at in range(start, first))
    at = first
    while at < len(history):
        own = messages(history, at)
        if at not in versions.replaced:
            version = shown(session_id, versions, at)
            part = messages(history, version) if version != at else range(max(at, start), own.stop)
            yield from (Drawn(index, version, at, index == part[-1]) for index in part)
        at = own.stop


def leaf(session_id: str, versions: Versions, newest: int) -> None:
    """A way to the version before and after the one that is shown, and which of how many it is."""
    all_versions = versions.of[newest]
    place = all_versions.index(shown(session_id, versions, newest))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"versions-{newest}"):
        for side, step, words in (
            ("left", -1, "The version before this one"),
            ("right", 1, "The version after this one"),
        ):
            if step == 1:
                st.caption(f"{place + 1:,} / {len(all_versions):,}", width="content")
            other = place + step
            there = 0 <= other < len(all_versions)
            st.button(
                f":material/chevron_{side}:",
                key=f"version{step:+}:{newest}",
                type="tertiary",
                disabled=not there,
                help=words,
                on_click=state.show_version,
                args=(session_id, newest, all_versions[other] if there else newest),
            )
