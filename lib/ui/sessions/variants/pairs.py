"""Draws two sessions side by side: their sums, then each pair of exchanges with the differing words marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lib.analysis.session_costs import cost_of
from lib.analysis.side_by_side import Change, Exchange, Pair, text_changes
from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.history.sessions import SessionRow
from lib.tokens import TokenCounter
from lib.ui.chat import turn_line
from lib.ui.components import message_parts
from lib.ui.components.message_parts.views import PartView, Shown
from lib.ui.components.reasoning import line as reasoning
from lib.ui.format import marked_text, numbers
from lib.ui.format.text import DRAWN_CHARACTERS, as_option
from lib.ui.sessions import row_words
from lib.ui.shell import services

LEFT, RIGHT = "The open chat", "The other chat"
LEGEND = (
    "Words that only the open chat has are on :red-background[**red**], words that only the other one has on"
    " :green-background[**green**]."
)


def draw_sums(left: SessionRow, right: SessionRow, left_settings: ChatSettings, right_settings: ChatSettings) -> None:
    """A table of what both are and what they took."""
    import pandas as pd

    mine, theirs = _sums(left, left_settings), _sums(right, right_settings)
    st.dataframe(
        pd.DataFrame({"": list(mine), LEFT: list(mine.values()), RIGHT: list(theirs.values())}),
        hide_index=True,
        height="content",
        key="compare_sums",
        column_config={"": st.column_config.TextColumn(pinned=True)},
        alt="Both chats: model, settings, tokens and cost",
    )


def _sums(row: SessionRow, settings: ChatSettings) -> dict[str, str]:
    """What the table says of one session."""
    reported = row.input_tokens is not None and row.output_tokens is not None
    tokens = f"{row.input_tokens:,} in, {row.output_tokens:,} out ({row_words.counted(row)})" if reported else ""
    strategy = row.strategy or settings.strategy
    return {
        "Title": as_option(row.title) or "untitled",
        "Model": as_option(row.model or settings.model),
        "Strategy": STRATEGIES[strategy].short if strategy in STRATEGIES else as_option(strategy),
        "Context window": f"{settings.max_tokens:,} tokens",
        "Generation settings": as_option(settings.generation.summary, 80) or "none",
        "System prompt": as_option(settings.system_prompt, 80) or "none",
        "Tokens": tokens or (numbers.NOT_REPORTED if row.turns else "no turns recorded"),
        "Cost at today's prices": row_words.cost_words(cost_of(row, services.find_model)),
        "What happened": row_words.happened(row) or "nothing dropped or stopped",
    }


def draw(pairs: Sequence[Pair], counters: Mapping[str, TokenCounter]) -> None:
    """The pairs in their order. Neighbours that are the same share one line, which opens to them.

    `counters` are those of the chats' models, by LEFT and RIGHT, for parts of messages without a turn.
    """
    if any(pair.differs and pair.left is not None and pair.right is not None for pair in pairs):
        st.caption(LEGEND)
    same: list[Pair] = []
    for pair in pairs:
        if pair.differs:
            _draw_same(same, counters)
            same = []
            _draw_pair(pair, counters)
        else:
            same.append(pair)
    _draw_same(same, counters)


def _draw_same(pairs: Sequence[Pair], counters: Mapping[str, TokenCounter]) -> None:
    if not pairs:
        return
    first, last = _number(pairs[0]), _number(pairs[-1])
    name = f"Exchange {first} is the same" if first == last else f"Exchanges {first} to {last} are the same"
    panel = st.expander(name, icon=":material/equal:", key=f"same:{first}", on_change="rerun")
    if panel.open:
        with panel:
            for pair in pairs:
                _draw_pair(pair, counters)


def _number(pair: Pair) -> int:
    exchange = pair.left or pair.right
    return 0 if exchange is None else exchange.number


def _draw_pair(pair: Pair, counters: Mapping[str, TokenCounter]) -> None:
    with st.container(border=True):
        for side, exchange, name, other in zip(
            st.columns(2), (pair.left, pair.right), (LEFT, RIGHT), (pair.right, pair.left), strict=True
        ):
            with side:
                if exchange is None:
                    st.caption(f"**{name}** has no such exchange.")
                else:
                    _exchange(exchange, name, other, counters[name])


def _exchange(exchange: Exchange, name: str, other: Exchange | None, counter: TokenCounter) -> None:
    """One side of a pair."""
    st.caption(f"**{name}**, exchange {exchange.number:,}")
    key = f"pair:{name}:{exchange.number}"
    question, *reply = _views(exchange, counter)
    prompt = _text(exchange.prompt, None if other is None else other.prompt, name)
    st.markdown(f":material/person: {prompt or ':gray[(no text)]'}")
    if question:
        message_parts.draw(question, f"{key}:question")
    beside = [view for views in reply for view in views]
    if beside:
        message_parts.draw(beside, f"{key}:reply")
    text = _text(exchange.reply, None if other is None else other.reply, name)
    if text or not beside:
        st.markdown(f":material/auto_awesome: {text or ':gray[(no reply)]'}")
    if exchange.record.turn is not None and reply:
        reasoning.draw(exchange.record.turn, exchange.messages[1], key)
    st.caption(what_was_sent(exchange))


def _views(exchange: Exchange, counter: TokenCounter) -> list[list[PartView]]:
    """What each message holds beside its texts, which are compared word by word."""
    turn = exchange.record.turn
    shown = Shown.of(exchange.messages, counter if turn is None else reasoning.counter_of(turn), exchange.again)
    messages = enumerate(exchange.messages)
    return [[view for view in shown.views(message, at) if view.kind != "text"] for at, message in messages]


def _text(own: str, other: str | None, name: str) -> str:
    """A text as Markdown, with the words marked that the other side does not have."""
    own, other = own[:DRAWN_CHARACTERS], None if other is None else other[:DRAWN_CHARACTERS]
    only: Change = "removed" if name == LEFT else "added"
    if other is None or other == own:
        return marked_text.marked([(False, own)], "red")
    changes = text_changes(own, other) if name == LEFT else text_changes(other, own)
    return marked_text.marked(
        [(kind == only, text) for kind, text in changes if kind in ("same", only)], "red" if name == LEFT else "green"
    )


def what_was_sent(exchange: Exchange) -> str:
    """Example: "gpt-5-mini · 412 tokens in · 38 out (billed) · first word 0.4 s · 6 of 8 messages sent, 2 dropped"."""
    turn = exchange.record.turn
    if turn is None:
        return f"What was sent is not recorded; with nothing dropped, {numbers.plural(exchange.sent, 'message')}."
    dropped = f", {exchange.dropped:,} not sent" if exchange.dropped else ""
    return f"{turn_line.summary(turn)}{dropped}"
