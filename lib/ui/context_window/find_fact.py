"""Find a fact: which messages hold it, which request was the first without them, by which rule, and what other strategies do.

The rule: the answer comes from what was recorded; only what another strategy would have done is planned anew, with the same
planner as sending. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis.decisions import dropped_at, fate_of, view_of_plan, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.context.plan import REASON_TEXT
from lib.ui.components import message_sizes, tables
from lib.ui.context_window import request_rows
from lib.ui.context_window.request_rows import RequestEntry
from lib.ui.format import numbers
from lib.ui.format.text import drawable
from lib.ui.shell import session
from lib.ui.shell.page import Page

if TYPE_CHECKING:
    import pandas as pd

FOUND = 8
"""Messages shown; a word in more of them is no fact."""
AROUND = 60
"""Characters shown on each side of what was found."""


def draw(page: Page, records: Sequence[RequestRecord]) -> None:
    """The box, and what became of every message that holds the words."""
    words = st.text_input(
        "A word or number the model should have known",
        key="fact",
        placeholder="for example: Lisbon, 4711, my sister",
        help="Looked for in every stored message, upper and lower case alike.",
    ).strip()
    if not words:
        st.caption(
            "Which request was the first without it, which rule left it out, and what another strategy would have done."
        )
        return
    found = holding(page, words)
    if not found:
        st.info("No stored message holds these words. Try a single word, as it was written.")
        return
    if len(found) > FOUND:
        st.caption(f"{len(found):,} messages hold it; the first {FOUND} are shown.")
    for index in found[:FOUND]:
        with st.container(border=True):
            _one(page, records, index, words)


def holding(page: Page, words: str) -> list[int]:
    """Stored indexes of the messages that hold these words."""
    wanted = words.casefold()
    return [at for at, message in enumerate(page.history) if wanted in message.text.casefold()]


def _one(page: Page, records: Sequence[RequestRecord], index: int, words: str) -> None:
    """One message: what became of it."""
    message = page.history[index]
    st.markdown(f"**Message {index + 1}**, written by the {message.role}")
    st.code(_excerpt(message.text, words), language=None, wrap_lines=True)
    dropped = dropped_at(records, index)
    if dropped is None:
        later = sum(record.at > index for record in records)
        went = (
            f"It went along with all {numbers.plural(later, 'later request')}."
            if later
            else "Nothing was sent after it yet."
        )
        st.markdown(f":material/check: {went}")
        return
    sizes = message_sizes.sizes_of(page, dropped.turn)
    fate = fate_of(view_of_record(dropped, sizes, page.history), index)
    why = REASON_TEXT[fate[1]] if fate is not None else ""
    st.markdown(f":material/close: **{dropped.name.capitalize()} was the first without it**{_by(dropped)}. {why}")
    st.button(
        f"Look at {dropped.name}",
        key=f"look:{index}",
        icon=":material/visibility:",
        on_click=_look,
        args=(RequestEntry(dropped, dropped.turn).key, index),
    )
    others = under_others(page, dropped, index, sizes)
    kept = list(others["strategy"][(others["it would be"] == "sent") & others["it fits"]])
    st.caption(
        f"At {dropped.name}, "
        + (f"these would still have sent it: {'; '.join(kept)}." if kept else "no other strategy would have sent it.")
    )
    tables.draw(
        others, f"strategies-{index}", "What every strategy would have done with this message", title="Every strategy"
    )


def _by(record: RequestRecord) -> str:
    plan = record.turn.plan if record.turn is not None else None
    if plan is None:
        return ""
    label = STRATEGIES[plan.strategy].label if plan.strategy in STRATEGIES else plan.strategy
    return f", by the rule “{label}” in a window of {plan.max_tokens:,} tokens"


def under_others(page: Page, record: RequestRecord, index: int, sizes: MessageSizes) -> pd.DataFrame:
    """What each strategy would have done with this message at this request, in the window of that turn."""
    import pandas as pd

    settings = _settings_then(page, record)
    rows = []
    for name, strategy in STRATEGIES.items():
        plan = sizes.planned_again(record, replace(settings, strategy=name))
        fate = fate_of(view_of_plan(plan), index)
        sent, reason = fate if fate is not None else (False, "over_budget")
        rows.append(
            [
                strategy.label,
                "sent" if sent else "left out",
                request_rows.TAGS[reason],
                plan.input_tokens,
                plan.left_out_count,
                plan.fits,
                plan.fallback or "",
            ]
        )
    who = numbers.mark(sizes.provenance)
    return pd.DataFrame(
        rows, columns=["strategy", "it would be", "why", f"tokens sent, {who}", "messages left out", "it fits", "note"]
    )


def _settings_then(page: Page, record: RequestRecord) -> ChatSettings:
    """The settings that request was planned with, as far as it recorded them."""
    settings, plan = page.settings, record.turn.plan if record.turn is not None else None
    settings = replace(settings, system_prompt=record.system_prompt or "")
    if plan is None:
        return settings
    return replace(settings, max_tokens=plan.max_tokens, reserved_for_reply=plan.reserved_for_reply)


def _look(key: str, index: int) -> None:
    """Go to that request, with the message in view. For callbacks."""
    session.ask_for_turn(key)
    session.choose_message(index)
    st.session_state["context_window_tab"] = "What was sent"


def _excerpt(text: str, words: str) -> str:
    at = max(0, text.casefold().find(words.casefold()))
    start, stop = max(0, at - AROUND), at + len(words) + AROUND
    return drawable(("…" if start else "") + text[start:stop] + ("…" if stop < len(text) else ""))
