"""What an empty chat shows: what this is, and three messages to start with."""

from __future__ import annotations

import streamlit as st

from lib.ui.chat import actions
from lib.ui.shell.page import Page

CODE = "Repeat after me: The code of the safe is 4711."
DOG = "Repeat after me: The name of my dog is Bruno."
CAPITAL = "What is the capital of Japan?"
STARTERS = {"Give it a secret code": CODE, "Tell it about a dog": DOG, "Ask it something": CAPITAL}
"""The small model answers these well; tests/benchmarks/bench_recall.py says how well. The first two are facts to ask
for later, when they may have been dropped. It recalls them because it repeats them, and is asked in the same words."""
EXAMPLE = "Repeat after me: The time of my train is 9:15."
"""What the chat input suggests in an empty chat."""
FOLLOW_UPS = {
    CODE: "What is the code of the safe?",
    DOG: "What is the name of my dog?",
    EXAMPLE: "What is the time of my train?",
}
"""The question that shows whether the model was sent the fact."""


def draw(page: Page) -> None:
    """Drawn only while there is no conversation."""
    slot = st.empty()  # always there, so that the welcome disappears as soon as the first message is sent
    if page.history or page.live is not None or page.error is not None or page.library:
        return
    with slot.container():
        st.subheader("See what a language model is sent", anchor=False)
        st.markdown(
            "A model remembers nothing: with each message, the whole conversation is sent again, until it no longer"
            " fits and the oldest part is dropped."
        )
        st.caption("Say something, and watch the bar below fill up")
        with st.container(horizontal=True, key="starters"):
            for label, text in STARTERS.items():
                st.button(
                    label,
                    key=f"starter:{label}",
                    help=text,
                    on_click=actions.send_text,
                    args=(page.session_id, text, page.settings),
                )
        st.caption("Or just watch")
        with st.container(horizontal=True, key="demonstrations"):
            st.button(
                "Open an example",
                key="open_example",
                icon=":material/menu_book:",
                help="A conversation of forty turns that no longer fits its window. Nothing is sent.",
                on_click=actions.open_example,
                args=(page.settings,),
            )
            st.button(
                "Watch it forget",
                key="watch_it_forget",
                icon=":material/play_circle:",
                help="Plays a short chat by itself: the model is told a code, and loses it when the window is full.",
                on_click=actions.watch_it_forget,
                args=(page.settings,),
            )


def placeholder(page: Page) -> str:
    """What the empty chat input says: in an empty chat with the model on this machine, what to type."""
    started = page.history or page.live is not None or page.error is not None
    return "Message" if started or page.settings.provider != "local" else f"For example: “{EXAMPLE}”"


def follow_up(page: Page) -> None:
    """After a starter with a fact: a button with the question that shows whether the model was sent that fact."""
    if len(page.history) != 2 or page.live is not None or not page.may_write:
        return
    question = FOLLOW_UPS.get(page.history[0].text)
    if question is not None:
        st.button(
            f"Now ask: {question}",
            key="follow_up",
            icon=":material/subdirectory_arrow_right:",
            on_click=actions.send_text,
            args=(page.session_id, question, page.settings),
        )
