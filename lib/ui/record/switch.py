"""The switch of the recorder, and where requests go. Both hold for every tab, until the app stops."""

from __future__ import annotations

import streamlit as st

from lib.recorder.recorder import takes
from lib.settings import Endpoint
from lib.ui.format.text import as_option
from lib.ui.record import state
from lib.ui.shell import services

PATHS = {"openai": "OpenAI's protocol goes to", "anthropic": "Anthropic's protocol goes to"}
HELP = "For requests that do not name a provider in the header X-Windowseat-Endpoint."


def draw() -> None:
    """What recording is, the switch, and a choice of provider for each protocol."""
    recorder = services.recorder()
    st.markdown(
        "Point your own code at Windowseat: it passes every request on to the provider, byte for byte, and shows what"
        " was sent, what changed, what your app dropped, and what the provider's cache gave back. Keys pass through and"
        " are never stored."
    )
    may_switch = services.asking().sees_all
    st.toggle(
        "Record requests",
        key=state.show_switch(recorder.on),
        on_change=_switch,
        disabled=not may_switch,
        help=None if may_switch else "It is set where the app is started, because it holds for everybody.",
    )
    st.caption(
        ":material/radio_button_checked: Recording, until the app stops or somebody turns it off."
        if recorder.on
        else "Off: requests are refused, and nothing is passed on. `WINDOWSEAT_RECORD=1` turns it on at the start."
    )
    endpoints = services.offered_endpoints()
    with st.container(horizontal=True):
        for kind, label in PATHS.items():
            offered = {name: endpoint for name, endpoint in endpoints.items() if takes(endpoint, kind)}
            chosen = recorder.target(kind, endpoints).name
            st.selectbox(
                label,
                list(offered),
                key=state.show_target(kind, chosen),
                disabled=not may_switch,
                on_change=_choose,
                args=(kind,),
                format_func=lambda name: _label(endpoints, name),
                help=HELP,
            )


def _switch() -> None:
    if not services.asking().sees_all:
        return
    services.recorder().on = state.switched()


def _choose(kind: str) -> None:
    if not services.asking().sees_all:
        return
    services.recorder().targets[kind] = state.target(kind)


def _label(endpoints: dict[str, Endpoint], name: str) -> str:
    return as_option(endpoints[name].label) if name in endpoints else name
