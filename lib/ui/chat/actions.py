"""What the buttons and the chat input do, as callbacks.

A callback either does its work or changes nothing, keeps the typed text in the box, and leaves a line that says why.
None of them raises.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress

from lib.chat.request_reader import ProviderOpener
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, HistoryUnavailable
from lib.example import forgetting
from lib.providers import Provider
from lib.turns import LiveTurn
from lib.ui.chat import state
from lib.ui.providers import added, own
from lib.ui.shell import services, session, session_settings
from lib.ui.shell.error_box import attempt

COUNTER_SECONDS = 2.0
"""How long opening the example waits for its counter, which takes about a second to start."""


def send_typed(session_id: str, settings: ChatSettings) -> None:
    """Send what was typed. If it is refused, the text goes back into the box."""
    text = session.typed_prompt()
    if not text.strip():
        return
    if not send(session_id, text, settings, replaces=session.editing()):
        session.put_back(text)
        return
    session.set_editing(None)


def send(session_id: str, text: str, drawn: ChatSettings, *, replaces: int | None = None) -> bool:
    """Send a text; whether it was accepted. `drawn` are the settings the page shows."""

    def act() -> None:
        settings = _stored(session_id, drawn)
        services.chat().send(session_id, text, settings, opener(settings.provider), replaces=replaces)
        session.draw_newest(session_id)

    return attempt(act)


def send_text(session_id: str, text: str, settings: ChatSettings, replaces: int | None = None) -> None:
    """Send a text that was not typed: a starter, or the last message again."""
    send(session_id, text, settings, replaces=replaces)


def retry(session_id: str, live: LiveTurn, drawn: ChatSettings, anyway: bool = False) -> None:
    """Send an interrupted message again; with `anyway`, even over budget."""
    settings = _stored(session_id, drawn)
    open_provider = opener(settings.provider)
    attempt(lambda: services.chat().retry(session_id, live, settings, open_provider, over_budget_allowed=anyway))


def keep(session_id: str, live: LiveTurn) -> None:
    """Store the part of an interrupted reply that arrived."""
    attempt(lambda: services.chat().keep(session_id, live))


def discard(session_id: str, live: LiveTurn) -> None:
    """Drop an interrupted message. A demonstration does not send it again by itself."""
    state.play(None)
    attempt(lambda: services.chat().discard(session_id, live))


def edit_interrupted(session_id: str, live: LiveTurn) -> None:
    """Take an interrupted message back into the box. A demonstration does not send it again by itself."""
    state.play(None)
    if attempt(lambda: services.chat().discard(session_id, live)):
        session.put_back(live.prompt)
        session.set_editing(live.replaces)


def edit_last(index: int, text: str) -> None:
    """Put the last message into the box; sending it replaces its exchange."""
    session.put_back(text)
    session.set_editing(index)


def cancel_edit() -> None:
    """Stop editing; the last message stays as it is."""
    session.set_editing(None)
    session.put_back("")


def stop(session_id: str) -> None:
    """Stop the reply and store the part that arrived. A demonstration does not go on by itself then."""
    state.play(None)
    attempt(lambda: services.chat().stop(session_id))


def open_example(own: ChatSettings) -> None:
    """Copy the example into a new chat, to be continued with the model of these settings, and open it."""

    def act() -> None:
        from lib.example.recording import open_as  # on first use: the first page must not wait for it

        counting = threading.Thread(target=_start_counting, args=(own,), daemon=True, name="start-counting")
        counting.start()
        session_id = str(uuid.uuid4())
        open_as(session_id, services.chat().store, own)
        session.open_session(session_id)
        counting.join(COUNTER_SECONDS)

    attempt(act)


def _start_counting(own: ChatSettings) -> None:
    """Start the model on this machine, whose tokenizer counts, so that the example does not open with estimates."""
    if services.endpoint(own.provider).kind == "local":
        with suppress(ChatError):  # it is asked again with the first message, and says then what is wrong
            services.counter_of(own, services.provider_of(own, None))


def watch_it_forget(own: ChatSettings) -> None:
    """Begin the demonstration in a new chat with the model of these settings, and open it."""

    def act() -> None:
        session_id, settings = forgetting.new_id(), forgetting.settings_for(own)
        chat = services.chat()
        chat.store.save_settings(session_id, settings.to_dict())
        chat.send(session_id, forgetting.OPENING[0], settings, opener(settings.provider))
        session.open_session(session_id)
        state.play(session_id)

    attempt(act)


def fork(session_id: str, messages: int) -> None:
    """Begin a session with the first `messages` messages of this one, and open it."""

    def act() -> None:
        from lib.chat import forks  # on first use: the first page must not wait for it

        begun = forks.fork(services.chat().store, session_id, messages)
        session.open_session(begun.session_id)

    attempt(act)


def clear(session_id: str, settings: ChatSettings) -> None:
    """Delete the chat's messages and records; its settings stay."""

    def act() -> None:
        state.play(None)
        store = services.chat().store
        store.clear(session_id)
        with suppress(HistoryUnavailable):  # a full server takes no settings; the last ones used apply then anyway
            store.save_settings(session_id, settings.to_dict())
        session.set_editing(None)
        session.draw_newest(session_id)
        state.show_newest_versions(session_id)

    attempt(act)


def retry_with(session_id: str, live: LiveTurn, settings: ChatSettings) -> None:
    """Store these settings and retry with them."""

    def act() -> None:
        chat = services.chat()
        chat.store.save_settings(session_id, settings.to_dict())
        chat.retry(session_id, live, settings, opener(settings.provider))

    attempt(act)


def opener(provider: str) -> ProviderOpener:
    """Opens providers in a turn's thread, for the reply and for summaries. The keys are read here, because a thread
    cannot read the browser session."""
    keys, owner = {name: services.key_for(name) for name in (provider, *own.offered())}, services.asking().id

    def open_provider(settings: ChatSettings) -> Provider:
        added.refuse_others(settings.provider, owner)
        return services.provider_of(settings, keys.get(settings.provider))

    return open_provider


def _stored(session_id: str, drawn: ChatSettings) -> ChatSettings:
    """The chat's stored settings: a change made a moment ago is stored, but the page may not show it yet.

    A chat without any keeps those that were drawn, because they may be the choice of this browser session.
    """
    try:
        store = services.chat().store
        stored = store.about(session_id).settings
        if not stored:
            store.save_settings(session_id, drawn.to_dict())
            return drawn
        return session_settings.restored(stored)
    except ChatError:
        return drawn
