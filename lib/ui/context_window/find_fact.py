"""Find a fact: the messages with it, the first request without them, and what other strategies would have done.

What happened comes from the records of turns. What another strategy would have done is planned with the same planner
that sending uses. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from lib.analysis.decisions import decisions, dropped_at
from lib.analysis.replay import sent_ranges
from lib.analysis.request_view import fate_of, view_of_plan, view_of_record
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.analysis.runs import range_at
from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.messages import utf8_safe
from lib.tokens import provenance_label
from lib.tokens.counted import text_of
from lib.ui.components import message_sizes, palette, strategy_fields, tables
from lib.ui.context_window import lost_facts, sentences, tabs
from lib.ui.context_window.request_picker import RequestEntry
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.shell import session
from lib.ui.shell.page import Page

if TYPE_CHECKING:
    import pandas as pd

FOUND = 8
"""Messages shown; a word that is in more of them is not a fact."""
SUGGESTED = 6
"""Facts offered to search for."""
FACT = "fact"
"""Key of the search box."""
AROUND = 60
"""Characters shown on each side of the match."""


def draw(page: Page, entries: Sequence[RequestEntry]) -> None:
    """The search box with facts to search for, and what happened to every message with the words."""
    words = st.text_input(
        "A word or number the model should have known",
        key=FACT,
        placeholder="for example: Lisbon, 4711, my sister",
        help="Searches all stored messages. Upper and lower case are the same.",
    ).strip()
    records = [entry.record for entry in entries if entry.record is not None]
    _suggestions(page, records)
    if not words:
        st.caption("Shows the first request without it, why it was dropped, and what another strategy would have done.")
        return
    found = messages_with(page, words)
    if not found:
        st.info("No stored message has these words. Try a single word, as it was written.")
        return
    if len(found) > FOUND:
        st.caption(f"{len(found):,} messages have it; the first {FOUND} are shown.")
    for index in found[:FOUND]:
        with st.container(border=True):
            _draw_message(page, records, index, words)


def _suggestions(page: Page, records: Sequence[RequestRecord]) -> None:
    """Facts that the person stated, as buttons: first those that the newest request no longer holds."""
    facts = lost_facts.stated(page.history)
    if not facts or not records:
        return
    held = sent_ranges(records[-1])
    facts.sort(key=lambda fact: range_at(held, fact.index) is not None)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="facts"):
        st.caption("You said:", width="content")
        for fact in facts[:SUGGESTED]:
            st.button(
                as_label(fact.answer, 30),
                key=f"suggested:{fact.index}:{fact.answer}",
                on_click=session.set_widget,
                args=(FACT, fact.answer),
                help=as_markdown(fact.text[: AROUND * 3]),
            )


def messages_with(page: Page, words: str) -> list[int]:
    """Stored indexes of the messages with these words."""
    folded = words.casefold()
    return [at for at, message in enumerate(page.history) if folded in text_of(message).casefold()]


def _draw_message(page: Page, records: Sequence[RequestRecord], index: int, words: str) -> None:
    """One message and what happened to it."""
    message = page.history[index]
    st.markdown(f"**Message {index + 1}**, written by the {as_label(message.role)}")
    st.code(_excerpt(text_of(message), words), language=None, wrap_lines=True)
    dropped = dropped_at(records, index)
    if dropped is None:
        later = sum(record.at > index for record in records)
        st.markdown(
            f":material/check: It was sent with all {numbers.plural(later, 'later request')}."
            if later
            else ":material/check: Nothing has been sent after it yet."
        )
        return
    sizes = message_sizes.sizes_of(page, dropped.turn)
    view = view_of_record(dropped, sizes, page.history)
    why = "".join(sentences.why(view, one) for one in decisions(view, index, index + 1))
    st.markdown(f":material/close: **{dropped.name.capitalize()} was the first without it**{_settings(dropped)}. {why}")
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
        + (f"these would still have sent it: {', '.join(kept)}." if kept else "no other strategy would have sent it."),
        help=strategy_fields.NAMES_HELP,
    )
    tables.draw(
        others, f"strategies-{index}", "What every strategy would have done with this message", title="Every strategy"
    )


def _settings(record: RequestRecord) -> str:
    """The strategy and window of a request. Example: ", under “Ends” (keep the first and the newest, drop the
    middle) in a window of 320 tokens"."""
    plan = record.turn.plan if record.turn is not None else None
    if plan is None:
        return ""
    known = STRATEGIES.get(plan.strategy)
    means = "" if known is None else f" ({known.label[:1].lower()}{known.label[1:]})"
    short = plan.strategy if known is None else known.short
    return f", under “{short}”{means} in a window of {plan.max_tokens:,} tokens"


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
                strategy.short,
                "sent" if sent else "not sent",
                palette.REASON_TAGS[reason],
                plan.input_tokens,
                plan.left_out_count,
                plan.fits,
                "" if plan.fallback is None else plan.fallback.text,
            ]
        )
    tokens = f"tokens sent, {provenance_label(sizes.provenance)}"
    return pd.DataFrame(
        rows, columns=["strategy", "it would be", "why", tokens, "messages not sent", "it fits", "note"]
    )


def _settings_then(page: Page, record: RequestRecord) -> ChatSettings:
    """The settings a request was planned with; the session's own where the turn did not record them."""
    settings, plan = page.settings, record.turn.plan if record.turn is not None else None
    settings = replace(settings, system_prompt=record.system_prompt or "")
    if plan is None:
        return settings
    return settings.in_window(plan.max_tokens, plan.reserved_for_reply)


def _look(key: str, index: int) -> None:
    """Go to that request, with the message in view. For callbacks."""
    session.set_turn_in_url(key)
    session.choose_message(index)
    session.set_widget(session.CONTEXT_WINDOW_TAB, tabs.SENT)


def _excerpt(text: str, words: str) -> str:
    """The match with the text around it."""
    at = max(0, text.casefold().find(words.casefold()))
    start, stop = max(0, at - AROUND), at + len(words) + AROUND
    return utf8_safe(("…" if start else "") + text[start:stop] + ("…" if stop < len(text) else ""))
