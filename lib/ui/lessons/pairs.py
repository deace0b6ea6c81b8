"""Shows the arms of an experiment side by side: what was sent, and what came back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.lessons.outcomes import Outcome
from lib.messages import Message
from lib.ui.format.text import as_markdown

HEIGHT = 230
"""Pixels of the box with the request: the same in every arm, so that the replies stand on one line."""


def draw(outcomes: Sequence[Outcome]) -> None:
    """Two arms in a row."""
    for start in range(0, len(outcomes), 2):
        pair = enumerate(outcomes[start : start + 2], start)
        for column, (place, outcome) in zip(st.columns(2, gap="medium"), pair, strict=False):
            with column:
                _arm(outcome, place)


def _arm(outcome: Outcome, place: int) -> None:
    st.markdown(f"##### {as_markdown(outcome.arm.name)}")
    if outcome.arm.note:
        st.caption(as_markdown(outcome.arm.note))
    st.markdown(":gray[**Sent**]")
    with st.container(border=True, height=HEIGHT, key=f"lesson_sent:{place}"):
        for message in _sent(outcome):
            st.markdown(f":gray[{message.role}:] {as_markdown(message.text)}")
    st.markdown(":gray[**Came back**]")
    with st.container(border=True, key=f"lesson_reply:{place}"):
        st.markdown(_reply(outcome))


def _sent(outcome: Outcome) -> list[Message]:
    """The messages of the arm's last request, the system prompt first."""
    asked = len(outcome.arm.given) + 2 * len(outcome.arm.prompts) - 1
    stored = list(outcome.messages[:asked]) or list(outcome.arm.given)
    if len(stored) < asked:
        stored.append(Message("user", outcome.arm.prompts[-1]))
    return [Message("system", outcome.arm.system_prompt), *stored]


def _reply(outcome: Outcome) -> str:
    """Markdown: the reply with a mark that says whether the model knew."""
    if not outcome.is_complete:
        written = outcome.live.text if outcome.live is not None else ""
        return f"{as_markdown(written)} ▌" if written else ":gray[…]"
    text = as_markdown(outcome.turns[-1].reply)
    if outcome.knew is None:
        return text
    answer = as_markdown(outcome.arm.answer)
    mark = f":green[:material/check: {answer}]" if outcome.knew else f":orange[:material/close: not {answer}]"
    return f"{text}  \n{mark}"
