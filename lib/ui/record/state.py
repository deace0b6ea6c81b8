"""The st.session_state keys of the page "Record your app"."""

from __future__ import annotations

import streamlit as st

ON = "record_on"


def show_switch(on: bool) -> str:
    """Key of the switch, set to what the recorder does: another tab may have switched it."""
    st.session_state[ON] = on
    return ON


def switched() -> bool:
    """What the person chose. For the switch's callback."""
    return bool(st.session_state.get(ON))


def show_target(kind: str, name: str) -> str:
    """Key of the choice of a provider, set to the chosen one."""
    st.session_state[_target(kind)] = name
    return _target(kind)


def target(kind: str) -> str:
    """The provider that the person chose. For the callback."""
    return str(st.session_state.get(_target(kind), ""))


def _target(kind: str) -> str:
    return f"record_to:{kind}"
