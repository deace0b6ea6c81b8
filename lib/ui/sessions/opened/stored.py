"""The stored value of the open session, byte for byte."""

from __future__ import annotations

import hashlib

import streamlit as st

from lib.ui.components import whole_text
from lib.ui.format import numbers
from lib.ui.shell.page import Page

HEIGHT = 460
"""Pixels."""


def draw(page: Page) -> None:
    """The value as text, with its key, size and hash."""
    assert page.chat is not None
    value = page.chat.store.raw(page.session_id)
    if value is None:
        st.info("No message is stored under this chat's key.")
        return
    st.markdown(sentence(page.session_id, value))
    whole_text.draw(st.container(), value.decode("utf-8", "backslashreplace"), "stored_value", HEIGHT)
    st.caption(f"SHA-256 `{hashlib.sha256(value).hexdigest()}`")


def sentence(session_id: str, value: bytes) -> str:
    """Example: "**3.1 KB** under the key `chat:abc`: the messages as any service on this store reads them."."""
    size = numbers.stored_size(len(value))
    return f"**{size}** under the key `chat:{session_id}`: the messages as any service on this store reads them."
