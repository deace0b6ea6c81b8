"""The form that adds an endpoint to this browser session: a name, its usual address, and a key."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.errors import ChatError
from lib.settings.known_servers import KNOWN_SERVERS, OTHER, KnownServer
from lib.ui.providers import own, state
from lib.ui.shell import error_box, services

SERVERS = {**KNOWN_SERVERS, OTHER.name: OTHER}
FIRST = "openrouter"
PANEL = "add_endpoint_panel"
PROTOCOLS = {"openai": "OpenAI's", "anthropic": "Anthropic's"}


def draw() -> None:
    """The fields, filled with what the chosen server usually has."""
    with st.expander("Add an endpoint", icon=":material/add_link:", key=PANEL):
        _fields()


def _fields() -> None:
    st.caption("It is offered in this browser session only. Nothing is stored, and nothing is sent before you test it.")
    if state.typed("server") not in SERVERS:
        _fill(SERVERS[FIRST])
    chosen = st.selectbox(
        "Server",
        list(SERVERS),
        format_func=lambda name: SERVERS[name].label,
        key=state.field("server"),
        on_change=_server_changed,
    )
    server = SERVERS[chosen]
    if server.note:
        st.caption(server.note)
    st.text_input("Address", key=state.field("url"), max_chars=500)
    if server is OTHER:
        st.segmented_control("Protocol", list(PROTOCOLS), format_func=PROTOCOLS.__getitem__, key=state.field("kind"))
    model, window = st.columns(2)
    model.text_input("Model", key=state.field("model"), placeholder="the first that it lists", max_chars=200)
    window.number_input("Context window (tokens)", 32, 10_000_000, step=64, key=state.field("window"))
    _key(server)
    st.button("Add", key="add_endpoint", icon=":material/add:", type="primary", on_click=_add)
    problem = state.problem()
    if problem is not None:
        error_box.show(problem)


def _key(server: KnownServer) -> None:
    """A key to type, and the name of an environment variable for the person who runs the app."""
    st.text_input(
        "API key" if server.key_variable else "API key (if it needs one)",
        type="password",
        key=state.field("key"),
        help="It stays in this browser session, and is never stored, logged or put into an address.",
    )
    if services.asking().sees_all:
        st.text_input(
            "or the environment variable that holds it",
            key=state.field("variable"),
            placeholder=server.key_variable or "NAME_API_KEY",
            max_chars=100,
            help="Its value is read where the app runs, and never shown.",
        )


def _fill(server: KnownServer) -> None:
    state.fill(
        {
            "server": server.name,
            "url": server.base_url,
            "kind": server.kind,
            "model": "",
            "window": server.window,
            "key": "",
            "variable": "",
        }
    )


def _server_changed() -> None:
    """Fill the fields with what the chosen server usually has. For the select box's callback."""
    state.keep_problem(None)
    _fill(SERVERS.get(str(state.typed("server")), OTHER))


def _add() -> None:
    """Add what was typed, or say why not. For the button's callback."""
    chosen = SERVERS.get(str(state.typed("server")), OTHER)
    server = replace(chosen, kind=state.typed("kind") or "openai") if chosen is OTHER else chosen
    text = {name: str(state.typed(name) or "").strip() for name in ("url", "model", "key", "variable")}
    try:
        own.add(server, text["url"], text["model"], int(state.typed("window") or 0), text["key"], text["variable"])
    except ChatError as error:
        state.keep_problem(error)
        return
    state.keep_problem(None)
    _fill(chosen)
