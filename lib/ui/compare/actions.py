"""What the buttons of this page do, as callbacks. None of them raises; a line says why something failed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from lib.access import is_loopback
from lib.chat.replays import questions_of
from lib.chat.rounds import Entrant
from lib.chat_settings import ChatSettings
from lib.history.sessions import Parent
from lib.history.votes import Vote
from lib.ui.chat.actions import opener
from lib.ui.compare import names, state
from lib.ui.compare.column import in_order, vote_id
from lib.ui.shell import services, session_settings
from lib.ui.shell.error_box import attempt
from lib.ui.shell.page import Page

LONGEST_TITLE = 60
"""Characters of the first message in a title."""


def ask_typed() -> None:
    """Send what is in the box to every column."""
    text = state.typed()
    if text.strip():
        ask((text,))


def ask(prompts: Sequence[str]) -> None:
    """Send these messages to every column, one after the other. The first time, the columns become chats."""

    def act() -> None:
        if not state.column_ids():
            _begin(prompts[0])
        services.rounds().ask([entrant(each) for each in state.column_ids()], prompts)

    attempt(act)


def ask_chats_messages(page: Page) -> None:
    """Send the messages that a person wrote in the open chat to every column, as replays of it."""

    def act() -> None:
        prompts = questions_of(page.history, page.about.muted)
        if not state.column_ids():
            _begin(prompts[0], Parent(page.session_id, len(page.history), "replay"))
        services.rounds().ask([entrant(each) for each in state.column_ids()], prompts)

    attempt(act)


def _begin(first: str, parent: Parent | None = None) -> None:
    """Store a chat for each draft. Its title does not say which model it is: it may be hidden."""
    store, drafts = services.chat().store, state.drafts()
    ids, blind = [uuid.uuid4().hex for _ in drafts], state.wants_blind()
    letters = dict(zip(in_order(ids, blind=blind), names.LETTERS, strict=False))
    for session_id, (_, settings) in zip(ids, drafts, strict=True):
        store.save_settings(session_id, session_settings.completed(settings).to_dict())
        store.rename(session_id, f"Side by side {letters[session_id]}: {' '.join(first.split())[:LONGEST_TITLE]}")
        if parent is not None:
            store.set_parent(session_id, parent)
    state.set_columns(ids, blind=blind)


def entrant(session_id: str) -> Entrant:
    """A stored chat, with what it takes to ask its model. Raises HistoryUnavailable."""
    settings = session_settings.restored(services.chat().store.about(session_id).settings)
    return Entrant(session_id, settings, opener(settings.provider), on_this_machine(settings))


def on_this_machine(settings: ChatSettings) -> bool:
    """Whether the model runs on this machine, where it would slow down others that do."""
    endpoint = services.endpoint(settings.provider)
    if endpoint.kind == "local":
        return True
    host = urlsplit(endpoint.base_url or "").hostname
    return host == "localhost" or is_loopback(host)


def retry(session_id: str) -> None:
    """Send the message that failed again."""
    attempt(lambda: services.rounds().retry(entrant(session_id)))


def discard(session_id: str) -> None:
    """Remove the message that failed from its chat."""
    attempt(lambda: services.rounds().discard(session_id))


def stop(session_id: str) -> None:
    """End a column's reply."""
    attempt(lambda: services.rounds().stop(session_id))


def stop_all(ids: Sequence[str]) -> None:
    """End every reply."""
    for session_id in ids:
        stop(session_id)


def start_over(settings: Sequence[ChatSettings]) -> None:
    """Go back to drafts with these settings. The chats stay in the list of chats."""
    state.set_drafts([each.to_dict() for each in settings])
    state.set_columns((), blind=False)


def changed(key: str) -> Callable[[ChatSettings], None]:
    """Keeps the settings of one draft. For the form."""
    return lambda settings: state.change_draft(key, settings.to_dict())


def vote(winner: str, shown: Sequence[ChatSettings], ids: Sequence[str]) -> None:
    """Keep a vote; `winner` is the name of a column's settings, or "" if none was better."""
    called = tuple(names.whole_name(settings) for settings in shown)
    attempt(lambda: services.votes().cast(Vote(vote_id(ids), winner, called, time.time())))


def forget_votes() -> None:
    """Remove all votes of this person."""
    attempt(lambda: services.votes().forget())
