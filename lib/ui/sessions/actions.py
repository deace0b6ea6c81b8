"""What the buttons of the sessions page do, as callbacks. None of them raises; a line says why something failed."""

from __future__ import annotations

import time

from lib.chat import forks
from lib.chat_settings import ChatSettings
from lib.ui.chat.actions import opener
from lib.ui.sessions import state, tabs
from lib.ui.sessions.state import Deleted
from lib.ui.shell import services, session, session_settings
from lib.ui.shell.error_box import attempt


def rename(session_id: str, field: str) -> None:
    """Give the session the title that was typed into this field."""
    title = state.text_of(field).strip()
    if not title:
        session.flash("A title needs at least one character. The chat keeps the one it has.")
        return
    attempt(lambda: services.chat().store.rename(session_id, title))


def pin(session_id: str, pinned: bool) -> None:
    """Pin the session to the top of the list in the sidebar, or unpin it."""
    attempt(lambda: services.chat().store.pin_session(session_id, pinned))


def keep_for(session_id: str, seconds: float | None) -> None:
    """Let the session expire in so many seconds; None: never."""
    attempt(lambda: services.chat().store.expire(session_id, seconds))


def expire_now(session_id: str, title: str) -> None:
    """Let the session expire at once, and leave its page."""
    if attempt(lambda: services.chat().store.expire(session_id, 0)):
        session.flash(f"“{title or 'The chat'}” has expired. Its address says so from now on.")
        session.open_session()
        state.show_tab(tabs.LIST)


def delete(session_id: str, title: str) -> None:
    """Delete the session, and offer to bring it back for ten seconds."""

    def act() -> None:
        receipt = services.chat().store.delete(session_id)
        state.set_deleted(Deleted(session_id, title, receipt, time.monotonic()))
        session.open_session()
        state.show_tab(tabs.LIST)

    attempt(act)


def undo_delete(deleted: Deleted) -> None:
    """Bring a deleted session back, and open it."""

    def act() -> None:
        state.set_deleted(None)
        if services.chat().store.undelete(deleted.session_id, deleted.receipt):
            session.open_session(deleted.session_id)
            state.show_tab(tabs.OPEN)
        else:
            session.flash("It is too late to bring the chat back.")

    attempt(act)


def open_here(session_id: str, tab: str = tabs.OPEN) -> None:
    """Open another session on this page."""
    session.open_session(session_id)
    state.show_tab(tab)


def fork_with_edit(session_id: str, index: int, field: str, follows: str, ends: str) -> None:
    """Begin a session in which this message has the text that was typed into this field, and open it.

    The later messages are taken along unless the widget `follows` has the choice `ends`. A person's message that
    nothing follows is answered by a model.
    """

    def act() -> None:
        chat = services.chat()
        keep_later = state.text_of(follows) != ends
        begun = forks.fork_with_edit(chat.store, session_id, index, state.text_of(field), keep_later=keep_later)
        if begun.to_send is not None:
            settings = session_settings.restored(chat.store.about(begun.session_id).settings)
            chat.send(begun.session_id, begun.to_send, settings, opener(settings.provider))
        session.open_session(begun.session_id)

    attempt(act)


def start_replay(session_id: str, settings: ChatSettings) -> None:
    """Send the session's questions again with these settings, as a new session."""

    def act() -> None:
        begun = services.replays().start(session_id, settings, opener(settings.provider))
        state.set_begun_replay(session_id, begun.session_id)

    attempt(act)


def go_on_with_replay(session_id: str) -> None:
    """Send the questions of a replay that are still to be sent."""

    def act() -> None:
        settings = session_settings.restored(services.chat().store.about(session_id).settings)
        services.replays().go_on(session_id, opener(settings.provider))

    attempt(act)


def stop_replay(session_id: str) -> None:
    """Stop a replay. What came of the reply that is being written is stored."""
    attempt(lambda: services.replays().cancel(session_id))


def compare(session_id: str, other: str) -> None:
    """Open one session and compare it with the other one."""
    session.open_session(session_id)
    state.compare_with(other)
