"""What buttons and the chat input do, as callbacks.

The rule: a callback either does what was asked or leaves everything as it was, the typed text back in the box, with a line
that says why. No callback raises.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.chat.request_reader import ProviderOpener
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.turns import LiveTurn
from lib.ui.shell import services, session


def send_typed(session_id: str, settings: ChatSettings) -> None:
    """Send what was typed. Refused text goes back into the box."""
    text: str = st.session_state.get(session.PROMPT) or ""
    if not text.strip():
        return
    if not send(session_id, text, settings, replaces=session.editing()):
        session.put_back(text)
        return
    session.set_editing(None)


def _stored(session_id: str, drawn: ChatSettings) -> ChatSettings:
    """The session's settings: a change that was made a moment ago is stored, but not yet on the page that was drawn."""
    try:
        return services.session_settings(services.chat().store.about(session_id).settings)
    except ChatError:
        return drawn


def send(session_id: str, text: str, drawn: ChatSettings, *, replaces: int | None = None) -> bool:
    """Send a text; whether it was taken."""

    def act() -> None:
        settings = _stored(session_id, drawn)
        services.chat().send(session_id, text, settings, opener(settings.provider), replaces=replaces)
        session.draw_newest(session_id)

    return _done(act)


def send_text(session_id: str, text: str, settings: ChatSettings, replaces: int | None = None) -> None:
    """Send a text that was not typed: a starter, or the last message again."""
    send(session_id, text, settings, replaces=replaces)


def retry(session_id: str, live: LiveTurn, drawn: ChatSettings, anyway: bool = False) -> None:
    """Send an interrupted message again."""
    settings = _stored(session_id, drawn)
    open_it = opener(settings.provider)
    _done(lambda: services.chat().retry(session_id, live, settings, open_it, over_budget_allowed=anyway))


def keep(session_id: str, live: LiveTurn) -> None:
    """Store what came of an interrupted reply."""
    _done(lambda: services.chat().keep(session_id, live))


def discard(session_id: str, live: LiveTurn) -> None:
    """Forget an interrupted message."""
    _done(lambda: services.chat().discard(session_id, live))


def edit_interrupted(session_id: str, live: LiveTurn) -> None:
    """Take an interrupted message back into the box."""
    if _done(lambda: services.chat().discard(session_id, live)):
        session.put_back(live.prompt)
        session.set_editing(live.replaces)


def edit_last(index: int, text: str) -> None:
    """Take the last message into the box; sending it replaces its exchange."""
    session.put_back(text)
    session.set_editing(index)


def cancel_edit() -> None:
    """Leave the last message as it is."""
    session.set_editing(None)
    session.put_back("")


def stop(session_id: str) -> None:
    """Stop the reply and keep what came."""
    _done(lambda: services.chat().stop(session_id))


def clear(session_id: str, settings: ChatSettings) -> None:
    """Delete the session's messages and records; its settings stay."""

    def act() -> None:
        store = services.chat().store
        store.clear(session_id)
        store.save_settings(session_id, settings.to_dict())
        session.set_editing(None)
        session.draw_newest(session_id)

    _done(act)


def switch_strategy(session_id: str, live: LiveTurn, settings: ChatSettings) -> None:
    """Keep these settings and retry with them."""

    def act() -> None:
        chat = services.chat()
        chat.store.save_settings(session_id, settings.to_dict())
        chat.retry(session_id, live, settings, opener(settings.provider))

    _done(act)


def opener(provider: str) -> ProviderOpener:
    """How a turn's thread opens its provider, and the one that summarizes: keys are taken here, where the browser session can be read."""
    keys = {name: services.key_for(name) for name in (provider, *services.settings().endpoints)}
    return lambda settings: services.provider_of(settings, keys.get(settings.provider))


def _done(act: Callable[[], object]) -> bool:
    """Do it; where that fails, leave a line for the next draw."""
    try:
        act()
    except ChatError as error:
        session.message_of_the_moment(f"{error.what} {error.safe} {error.next_step}")
        return False
    return True
