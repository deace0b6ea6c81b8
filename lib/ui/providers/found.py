"""What was looked for on this machine, and a way to look again."""

from __future__ import annotations

import streamlit as st

from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import services


def draw() -> None:
    """One line with the servers that answer and those that do not. They were asked in the background."""
    looked_for = services.settings().local_servers
    if not looked_for:
        st.caption("Servers on this machine are not looked for: `WINDOWSEAT_LOCAL_SERVERS` is set to none.")
        return
    found = services.local_servers().models()
    short = {name: as_label(each.label.removesuffix(" on this machine")) for name, each in looked_for.items()}
    answering = numbers.listed([short[name] for name in found]) or "None"
    silent = numbers.listed([label for name, label in short.items() if name not in found])
    rest = f" No answer from {silent}." if silent else ""
    with st.container(horizontal=True, key="found", vertical_alignment="center"):
        st.caption(f"Found on this machine: {answering}.{rest}", width="content")
        st.button("Look again", key="look_again", type="tertiary", on_click=_look)


def _look() -> None:
    """For callbacks: a person asked, so this one waits for the answers, up to a second."""
    services.local_servers().look()
