"""Shows a long text inside a panel: as much as a browser can carry, and all of it as a file."""

from __future__ import annotations

import streamlit as st

from lib.messages import utf8_safe

SHOWN_CHARACTERS = 100_000
"""More than this makes a browser slow to scroll."""


def draw(container: st.delta_generator.DeltaGenerator, text: str, key: str, height: int) -> None:
    """The text, exactly as it is stored, `height` pixels high. What is too long to show can be downloaded whole."""
    container.code(utf8_safe(text[:SHOWN_CHARACTERS]), language=None, wrap_lines=True, height=height)
    hidden = len(text) - SHOWN_CHARACTERS
    if hidden > 0:
        container.caption(f"The first {SHOWN_CHARACTERS:,} characters; {hidden:,} more are in the file.")
        container.download_button(
            f"Download all {len(text):,} characters",
            utf8_safe(text).encode(),
            file_name="message.txt",
            mime="text/plain",
            key=f"{key}-file",
            icon=":material/download:",
            on_click="ignore",
        )
