"""What an empty chat says: one sentence, and three messages to start with."""

from __future__ import annotations

import streamlit as st

from lib.ui import actions
from lib.ui.page import Page

STARTERS = {
    "Tell it a secret": "My secret code is 4711. Please remember it.",
    "Ask it something": "What is the capital of France?",
    "Make it write": "Write a short poem about a window seat.",
}


def draw(page: Page) -> None:
    """The first thing a new person sees; nothing once there is a conversation."""
    slot = st.empty()  # always there, so that the welcome goes at once when the first message is sent
    if page.history or page.live is not None or page.trouble is not None:
        return
    with slot.container():
        st.subheader("See what a language model is sent", anchor=False)
        st.markdown(
            "A model remembers nothing: with every message the whole conversation is sent again, until it no longer fits. "
            "Talk to the model on this machine and watch the bar below the conversation fill up."
        )
        with st.container(horizontal=True, key="starters"):
            for label, text in STARTERS.items():
                st.button(
                    label, key=f"starter:{label}", help=text, on_click=actions.send_text,
                    args=(page.chat, page.session_id, text, page.settings),
                )  # fmt: skip
