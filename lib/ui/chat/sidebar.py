"""The sidebar of the chat: new chat, the last sessions, and what belongs to this session.

The rule: widgets show what is stored, and only a change by the person writes. Another tab's change is taken over at the
next rerun.
"""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history import SessionSummary
from lib.ui.chat import actions
from lib.ui.components import strategy_fields
from lib.ui.format import numbers
from lib.ui.format.text import as_label, drawable
from lib.ui.shell import error_box, services, session
from lib.ui.shell.page import Page, say_note

SESSIONS_SHOWN = 8
SETTINGS, CLEAR = "settings", "clear_panel"
"""Keys of what is drawn only once it is open: the first page need not carry it."""


def draw(page: Page) -> None:
    """Everything below the menu. Drawn last: on a new chat, it is the first to need the store."""
    with st.sidebar:
        st.button("New chat", icon=":material/add:", on_click=session.open_session, key="new_chat", width="stretch")
        list_of_sessions = st.container(gap=None)
        if page.trouble is None:
            _settings(page)
            _clear(page)
    if page.trouble is None:
        try:
            sessions = services.chat().store.sessions(SESSIONS_SHOWN)
        except ChatError as error:
            error_box.show(error)
            return
        if page.chat is None:
            say_note(services.chat())
        with list_of_sessions:
            _sessions(page.session_id, sessions)


def _sessions(here: str, sessions: list[SessionSummary]) -> None:
    """The sessions used last: title, how long ago, how long they have left."""
    for entry in sessions:
        times = f"{numbers.ago(time.time() - entry.last_activity)} · {numbers.left(entry.expires_in)}"
        title = as_label(entry.title, 34) or "untitled"
        is_open = entry.session_id == here
        with st.container(gap=None, key=f"entry:{entry.session_id}"):
            st.button(
                f"**{title}**" if is_open else title,
                key=f"open:{entry.session_id}",
                type="tertiary",
                on_click=session.open_session,
                args=(entry.session_id,),
                help="The open chat" if is_open else "Open this chat",
            )
            st.caption(times)


def _settings(page: Page) -> None:
    """Provider, model, system prompt, window, reserve and strategy of this session; drawn once they are opened."""
    panel = st.expander("Settings of this chat", icon=":material/tune:", key=SETTINGS, on_change="rerun")
    if not panel.open:
        return
    current = page.settings
    _seed(page.session_id, current)
    keys = {name: f"{page.session_id}:{name}" for name in current.to_dict()}
    endpoints = services.settings().endpoints
    with panel:
        names = list(endpoints) if current.provider in endpoints else [*endpoints, current.provider]
        st.selectbox(
            "Provider",
            names,
            key=keys["provider"],
            format_func=lambda name: endpoints[name].label if name in endpoints else name,
            on_change=_provider_changed,
            args=(page,),
        )
        _model(current, keys["model"], page)
        _key(current)
        st.text_area(
            "System prompt",
            key=keys["system_prompt"],
            help="Instructions that go before the conversation, every time.",
            height=120,
            on_change=_save,
            args=(page,),
        )
        st.number_input(
            "Context window (tokens)",
            32,
            10_000_000,
            step=64,
            key=keys["max_tokens"],
            on_change=_save,
            args=(page,),
            help=(
                "How much the model may hold at once: what is sent plus the reply. Make it a few hundred tokens to see "
                "messages being left out after a few turns."
            ),
        )
        st.number_input(
            "Reserved for the reply (tokens)",
            8,
            1_000_000,
            step=16,
            key=keys["reserved_for_reply"],
            on_change=_save,
            args=(page,),
            help="Room kept free for the answer; also the longest reply that is asked for.",
        )
        strategy_fields.draw(current.strategy, keys.__getitem__, _save, (page,))
        if current.strategy == "summarize":
            _summarizer(current, keys, page)
        _limits(current)
        if not current.window.input_budget:
            st.warning("The reserve takes the whole window: nothing can be sent.")


def _summarizer(current: ChatSettings, keys: dict[str, str], page: Page) -> None:
    """Who writes summaries: whoever answers, or another provider and model."""
    endpoints = services.settings().endpoints
    st.selectbox(
        "Summaries are written by",
        ["", *endpoints],
        key=keys["summary_provider"],
        on_change=_summarizer_changed,
        args=(page,),
        format_func=lambda name: endpoints[name].label if name in endpoints else "The model that answers",
    )
    if current.summary_provider in endpoints:
        names = dict.fromkeys(
            name for name in (current.summary_model, endpoints[current.summary_provider].model) if name
        )
        st.selectbox(
            "Their model",
            list(names),
            key=keys["summary_model"],
            accept_new_options=True,
            on_change=_save,
            args=(page,),
        )


def _limits(current: ChatSettings) -> None:
    """What the catalogue says of the model, and where these settings ask for more than it can hold."""
    model = services.find_model(current.provider, current.model)
    if model is None or model.context_window is None:
        return
    longest = f", replies of up to {model.max_output:,}" if model.max_output else ""
    st.caption(f"{as_label(model.label)}: a window of {model.context_window:,} tokens{longest} ({model.source}).")
    if current.max_tokens > model.context_window:
        st.warning("The window set here is larger than the model's: the provider would refuse what does not fit.")
    if model.max_output and current.reserved_for_reply > model.max_output:
        st.warning("The reserve is longer than the longest reply this model writes: the provider may refuse it.")


def _model(current: ChatSettings, key: str, page: Page) -> None:
    """A model name: the endpoint's own, one the server listed, or free text."""
    listed = session.listed_models(current.provider)
    names = list(
        dict.fromkeys(name for name in (current.model, services.endpoint(current.provider).model, *listed) if name)
    )
    st.selectbox(
        "Model",
        names,
        key=key,
        accept_new_options=True,
        on_change=_save,
        args=(page,),
        help="Choose one, or type any name the server knows.",
    )
    if current.provider != "local":
        st.button(
            "Ask the server for its models", key="list_models", on_click=_list_models, args=(current,), type="tertiary"
        )


def _key(current: ChatSettings) -> None:
    """A field for a key, where the endpoint may want one."""
    endpoint = services.endpoint(current.provider)
    if endpoint.kind == "local":
        return
    known = "One is configured; a key typed here is used instead." if endpoint.key else "None is configured."
    st.text_input(
        "API key",
        type="password",
        key=f"key:{endpoint.name}",
        persist_state="session",
        help=f"{known} It stays in this browser session: it is never stored, logged or put into an address.",
    )


def _clear(page: Page) -> None:
    """Delete the messages, after asking once and naming what goes."""
    if not page.history and page.live is None:
        return
    panel = st.popover("Clear this chat", icon=":material/delete:", width="stretch", key=CLEAR, on_change="rerun")
    if not panel.open:
        return
    with panel:
        gone = numbers.plural(len(page.history), "message")
        st.write(
            f"This deletes {gone} and the record of every turn, for everybody who shares this chat. It cannot be"
            " undone."
        )
        st.button(
            "Delete them", key="clear", type="primary", on_click=actions.clear, args=(page.session_id, page.settings)
        )


def _seed(session_id: str, current: ChatSettings) -> None:
    """Give the widgets the stored values, at first and whenever another tab changed them."""
    stored = current.to_dict()
    drawn = all(f"{session_id}:{name}" in st.session_state for name in stored)
    if drawn and st.session_state.get(f"{session_id}:seen") == stored:
        return
    st.session_state[f"{session_id}:seen"] = stored
    for name, value in stored.items():
        st.session_state[f"{session_id}:{name}"] = drawable(value) if isinstance(value, str) else value


def _provider_changed(page: Page) -> None:
    """Another provider: its own model, window and reserve; system prompt and strategy stay."""
    fresh = services.new_session_settings(st.session_state[f"{page.session_id}:provider"])
    current = page.settings
    _store(page, replace(fresh, system_prompt=current.system_prompt, strategy=current.strategy))


def _summarizer_changed(page: Page) -> None:
    """Another writer of summaries: its own model with it."""
    name = st.session_state[f"{page.session_id}:summary_provider"]
    _store(
        page, replace(page.settings, summary_provider=name, summary_model=services.endpoint(name).model if name else "")
    )


def _save(page: Page) -> None:
    """Store what the widgets say."""
    values = {name: st.session_state.get(f"{page.session_id}:{name}") for name in page.settings.to_dict()}
    _store(page, page.settings.updated({name: value for name, value in values.items() if value is not None}))


def _store(page: Page, settings: ChatSettings) -> None:
    try:
        services.chat().store.save_settings(page.session_id, settings.to_dict())
    except ChatError as error:
        session.message_of_the_moment(f"{error.what} The change was not stored. {error.next_step}")


def _list_models(current: ChatSettings) -> None:
    """Ask the server what it offers."""
    try:
        names = services.provider_of(current, services.key_for(current.provider)).models()
        session.set_listed_models(current.provider, names)
    except ChatError as error:
        session.message_of_the_moment(f"{error.what} {error.next_step}")
