"""Forks: new sessions that begin with the messages of another one. The session they come from is never changed.

A fork takes along what belongs to its messages: the records of their turns, pins, mutes, summaries and imports. So its
context-window page shows for each of them what was sent then.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lib.errors import ChatError
from lib.history import About, Recording
from lib.history.sessions import Parent
from lib.messages import Message
from lib.turns import Turn

UNTITLED = "a chat without a title"


class ForkStore(Protocol):
    """The part of a store that forking needs."""

    def load(self, session_id: str) -> Sequence[Message]: ...
    def turns(self, session_id: str, newest: int | None = None) -> list[Turn]: ...
    def about(self, session_id: str) -> About: ...
    def restore(self, session_id: str, recording: Recording) -> None: ...
    def rename(self, session_id: str, title: str) -> None: ...
    def save_settings(self, session_id: str, settings: Mapping[str, Any]) -> None: ...
    def set_parent(self, session_id: str, parent: Parent) -> None: ...


@dataclass(frozen=True, slots=True)
class Fork:
    """A new session. `to_send` is the message that it is still to be sent, if any."""

    session_id: str
    to_send: str | None = None


def fork(store: ForkStore, session_id: str, messages: int, *, how: str = "fork", title: str = "") -> Fork:
    """Begin a session with the first `messages` messages of another one, and its settings.

    Raises ChatError if there are not so many, CorruptHistory, or HistoryUnavailable.
    Example: fork(store, "a", 4) begins with two questions and their replies.
    """
    history = store.load(session_id)
    if not 0 <= messages <= len(history):
        raise ChatError(
            f"There is no message {messages}: this chat has {len(history)}.",
            safe="Nothing was stored or changed.",
            next_step="Open the chat again and choose another message.",
        )
    return _begin(store, session_id, list(history[:messages]), messages, how, title)


def fork_with_edit(store: ForkStore, session_id: str, index: int, text: str, *, keep_later: bool = False) -> Fork:
    """Begin a session in which the message at this stored index has another text.

    With `keep_later` the messages after it are taken along as they are, though nobody sent them after this text.
    Otherwise the fork ends there, and if the message is the person's, it is not stored but returned as `to_send`, so
    that a model answers it. Raises ChatError for an empty text, or if there is no such message.
    """
    history = store.load(session_id)
    if not 0 <= index < len(history) or not text.strip():
        raise ChatError(
            "A message needs some text." if 0 <= index < len(history) else f"There is no message {index + 1}.",
            safe="Nothing was stored or changed.",
            next_step="Type the text that it should have instead.",
        )
    before, edited = list(history[:index]), replace(history[index], content=text, has_content=True)
    if keep_later:
        return _begin(store, session_id, [*before, edited, *history[index + 1 :]], index, "edit")
    if edited.role == "user":
        return replace(_begin(store, session_id, before, index, "edit"), to_send=text)
    return _begin(store, session_id, [*before, edited], index, "edit")


def _begin(store: ForkStore, parent: str, messages: Sequence[Message], shared: int, how: str, title: str = "") -> Fork:
    """Store a session whose first `shared` messages are those of its parent."""
    about, session_id = store.about(parent), uuid.uuid4().hex
    if messages:
        source = f"Fork of “{about.title or UNTITLED}”"
        turns = [turn for turn in store.turns(parent) if turn.plan is not None and turn.plan.stored + 2 <= shared]
        recording = Recording(
            title or about.title or UNTITLED, messages, turns, about.settings, source, _about_the_first(about, shared)
        )
        store.restore(session_id, recording)
    else:
        store.save_settings(session_id, about.settings)
        store.rename(session_id, title or about.title or UNTITLED)
    store.set_parent(session_id, Parent(parent, shared, how))
    return Fork(session_id)


def _about_the_first(about: About, shared: int) -> About:
    """Pins, mutes, summaries and imports that concern only the shared messages."""
    return About(
        muted=frozenset(index for index in about.muted if index < shared),
        pinned=frozenset(index for index in about.pinned if index < shared),
        summaries=tuple(summary for summary in about.summaries if all(stop <= shared for _, stop in summary.sources)),
        imports=tuple(each for each in about.imports if each.first + each.count <= shared),
    )
