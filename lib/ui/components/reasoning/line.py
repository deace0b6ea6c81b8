"""What a model thought before it answered: folded where it can be read, else its tokens and what they cost."""

from __future__ import annotations

import streamlit as st

from lib.analysis.parts.reasoning import Thought, readable, thought_of
from lib.messages import Message
from lib.tokens import TokenCounter
from lib.tokens.model_counters import counter_for
from lib.turns import Turn
from lib.ui.components import whole_text
from lib.ui.format import numbers
from lib.ui.shell import services

HEIGHT = 320
"""Pixels of the open text."""


def draw(turn: Turn, reply: Message, key: str) -> None:
    """One line below a reply. Nothing if no reasoning is known. The text is not repeated if the reply itself holds
    it."""
    thought = of_turn(turn, reply)
    if thought is None:
        return
    if not thought.text or readable(reply):
        st.caption(f":material/psychology: {words(thought)}")
        return
    panel = st.expander(words(thought), icon=":material/psychology:", key=f"{key}-reasoning", on_change="rerun")
    if panel.open:
        whole_text.draw(panel, thought.text, f"{key}-reasoning", HEIGHT)


def of_turn(turn: Turn, reply: Message) -> Thought | None:
    """The reasoning of a turn, priced with its model's prices."""
    model = services.find_model(turn.provider, str(turn.request.get("model", turn.model)))
    return thought_of(turn, reply, model, counter_of(turn))


def counter_of(turn: Turn) -> TokenCounter:
    """The nearest tokenizer of the turn's model. It asks no server."""
    return counter_for(services.endpoint(turn.provider).kind, turn.model)


def words(thought: Thought) -> str:
    """Markdown. A model on this machine costs nothing, and nothing is said of it.

    Example: "Reasoning: hidden, 1,234 tokens (billed), $0.012"; "Reasoning: 68 tokens (counted), price not known".
    """
    hidden = "" if thought.text else "hidden, "
    size = numbers.sized(thought.tokens, thought.provenance)
    price = ", price not known" if thought.usd is None else f", {numbers.money(thought.usd)}" if thought.usd else ""
    return f"Reasoning: {hidden}{size}{price}".replace("$", "\\$").replace("~", "\\~")


def under_way(text: str) -> str:
    """Markdown: what is said while this is all that has come. Example: "Reasoning, 412 characters so far…"."""
    return f":material/psychology: Reasoning, {numbers.plural(len(text), 'character')} so far…"


def draw_unanswered(text: str, key: str) -> None:
    """The reasoning of a reply that did not come to an end, folded. Nothing if there is none."""
    if not text.strip():
        return
    label = f"Reasoning: {numbers.plural(len(text), 'character')} came"
    panel = st.expander(label, icon=":material/psychology:", key=f"{key}-reasoning", on_change="rerun")
    if panel.open:
        whole_text.draw(panel, text, f"{key}-reasoning", HEIGHT)
