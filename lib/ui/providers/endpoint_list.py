"""The endpoints of this browser session, one card each: where it is, its key, and a test of the connection."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.providers.connection import Connection
from lib.settings import Endpoint
from lib.ui.format.text import as_label
from lib.ui.providers import own, probe_panel, state, test_result
from lib.ui.shell import services, session, session_settings

PROTOCOLS = {"local": "runs inside Windowseat", "openai": "OpenAI's protocol", "anthropic": "Anthropic's protocol"}
USUAL = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
"""Addresses of endpoints that have none of their own."""


def draw() -> None:
    """A card for each endpoint, in the order of the menus."""
    for name, endpoint in own.offered().items():
        with st.container(border=True, key=f"endpoint:{name}"):
            _card(name, endpoint)


def _card(name: str, endpoint: Endpoint) -> None:
    found = name in services.settings().local_servers
    mine = name in state.added()
    mark = " :green-badge[found on this machine]" if found else " :blue-badge[this browser session]" if mine else ""
    st.markdown(f"**{as_label(endpoint.label.removesuffix(' on this machine'))}**{mark}")
    st.caption(_where(endpoint))
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"endpoint_buttons:{name}"):
        if endpoint.kind != "local":
            _key(name, endpoint)
        tested = st.button("Test the connection", key=f"test:{name}", icon=":material/network_check:")
        chatting = st.button("New chat with it", key=f"chat_with:{name}", icon=":material/add:")
        if mine:
            st.button("Remove", key=f"remove:{name}", icon=":material/delete:", on_click=own.remove, args=(name,))
    if tested:
        test_result.run(name, endpoint)
    result = state.test_of(name)
    if result is not None:
        test_result.draw(endpoint, result)
    if isinstance(result, Connection) and result.model:
        probe_panel.draw(name, endpoint, result)
    if chatting:
        _chat(name, result if isinstance(result, Connection) else None)


def _where(endpoint: Endpoint) -> str:
    address = endpoint.base_url or USUAL.get(endpoint.kind, "")
    parts = [
        f"`{address.replace('`', '')}`" if address else "",
        PROTOCOLS[endpoint.kind],
        f"new chats start with {as_label(endpoint.model)}" if endpoint.model else "",
        f"window {endpoint.window:,} tokens",
    ]
    return " · ".join(part for part in parts if part)


def _key(name: str, endpoint: Endpoint) -> None:
    """The field for its key in this browser session, and whether there is another one."""
    known = "one is configured" if endpoint.key else "none is configured" if endpoint.needs_key else "it may need none"
    st.text_input(
        f"API key ({known})",
        type="password",
        key=session.typed_key_field(name),
        persist_state="session",
        width=300,
        help="It stays in this browser session, and is never stored, logged or put into an address.",
    )


def _chat(name: str, tested: Connection | None) -> None:
    """Open a new chat with this endpoint. A test that said how much the model holds sets the window."""
    settings = session_settings.defaults(name)
    if tested is not None:
        window = tested.identity.window or settings.max_tokens
        settings = replace(settings.in_window(window, min(settings.reply_tokens, window // 4)), model=tested.model)
    session.set_last_settings(settings.to_dict())
    session.open_session()
    st.switch_page("app.py")
