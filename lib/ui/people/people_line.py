"""Says in the sidebar whose chats these are, and lets people log in and out."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.access import Mode
from lib.ui.format.text import as_label
from lib.ui.shell import services, session

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""Headers that proxies add."""
WORDS: dict[Mode, tuple[str, str]] = {
    "one": (
        "All chats here are yours",
        "This app is set up for one person: whoever can open it sees every chat. As it is installed, that is only you,"
        " on this machine.",
    ),
    "visitors": (
        "Only you see your chats",
        "They belong to this browser, which is known again by a cookie. There is no login: in another browser, or after"
        " clearing the cookies, you start anew.",
    ),
    "accounts": ("Only you see your chats", "They belong to your account."),
}
ADMIN = ("You see everybody's chats", "You are an admin of this app.")
PROXY = (
    ":material/warning: This page came through a proxy, and everybody who can reach it sees every chat. Set"
    " WINDOWSEAT_PEOPLE to “visitors” where the app is started, or to “one” if that is meant."
)


def draw() -> None:
    """The line at the end of the sidebar."""
    people, asking = services.people(), services.asking()
    words, why = ADMIN if people.mode == "accounts" and asking.sees_all else WORDS[people.mode]
    with st.sidebar, st.container(gap=None, key="people"):
        name = f"**{as_label(asking.name, 40)}** · " if asking.name else ""
        st.caption(f":material/person: {name}{words}", help=why)
        if people.mode == "accounts":
            st.button("Log out", key="log_out", icon=":material/logout:", type="tertiary", on_click=st.logout)
        if people.mode == "one" and services.settings().people.mode is None and _is_proxied():
            st.warning(PROXY)


def stop_unless_known() -> None:
    """Where people have accounts, nobody sees a page without having logged in."""
    if services.asking().is_known:
        return
    with st.container(key="log_in"):
        st.subheader("Log in to see your chats", anchor=False)
        for name in services.settings().people.providers or (None,):
            label = "Log in" if name is None else f"Log in with {as_label(name.title(), 40)}"
            st.button(
                label,
                key=f"log_in:{name or ''}",
                icon=":material/login:",
                type="primary",
                on_click=partial(st.login, name),
            )
        st.caption("Each account has its own chats.")
    st.stop()


def explain_refusal() -> None:
    """Below the words that a chat is somebody else's: a way on."""
    st.button("New chat", key="own_chat", icon=":material/add:", type="primary", on_click=session.open_session)


def _is_proxied() -> bool:
    return any(name in st.context.headers for name in FORWARDED)
