"""The tokens page, who counted: every counter beside the best figure there is, with its error and what the error would change.

The rule: nothing is sent to be counted until a button that says so is pressed.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import Bill
from lib.analysis.frames import Counted
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.tokens import ESTIMATE, PROVENANCE_TEXT
from lib.ui.components import tables
from lib.ui.components.message_sizes import sized
from lib.ui.format import numbers
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.tokens import endpoint_counts
from lib.ui.tokens.requests import other_counters

ASKED_AT_ONCE = 20
"""Requests sent to a counting endpoint by one press, the newest first."""


def draw(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes, bills: Sequence[Bill]) -> None:
    """The takeaway, the table, and the way to ask the provider."""
    if not records:
        st.info("No stored message belongs to a request any more, so there is nothing to count again.")
        return
    others = [counter for counter in other_counters(sizes.counter).values() if counter.name != sizes.counter.name]
    picked = st.pills(
        "Beside the model's own counter",
        [counter.name for counter in others],
        default=[ESTIMATE.name] if sizes.counter is not ESTIMATE else [],
        selection_mode="multi",
        key="counts_of",
        help="Tokenizers of other models on the same messages. An error is only an error for the model that answered.",
    )
    endpoint = endpoint_counts.known(page.settings, records, sizes)
    best = [_best(record, counted, sizes) for record, counted in zip(records, endpoint, strict=True)]
    counters = [_counted(page, records, sized(page, counter), sizes) for counter in others if counter.name in picked]
    counters.append(_counted(page, records, sizes, sizes))
    if any(count is not None for count in endpoint):
        counters.append(Counted("counting endpoint", "counted", endpoint))
    billed = [record.turn.usage.input_tokens if record.turn is not None else None for record in records]
    if any(count is not None for count in billed):
        who = next(
            r.turn.usage_provenance for r in records if r.turn is not None and r.turn.usage.input_tokens is not None
        )
        counters.append(Counted("the server that answered", who, billed))
    st.markdown(takeaway(counters, best))
    tables.show(
        frames.who_counted([record.name for record in records], best, counters),
        "who_counted",
        "Every request with its size by each counter, and each counter's signed error",
    )
    _ask(page, records, sizes)
    with st.container(gap="xsmall"):
        for name in dict.fromkeys(counter.provenance for counter in counters):
            st.caption(f"**{name}**: {PROVENANCE_TEXT[name]}")


def takeaway(counters: Sequence[Counted], best: Sequence[tuple[int, str]]) -> str:
    """One sentence per counter that is off, the worst first.

    Example: "**characters / 4 is 41 % under to 3 % over.** In 2 of 14 requests the error would change what is left out."
    """
    said = []
    for counter in counters:
        errors = [
            100 * (n - true) / true for n, (true, _) in zip(counter.totals, best, strict=True) if n is not None and true
        ]
        if not errors or max(map(abs, errors)) < 0.05:
            continue
        flips = sum(1 for count in counter.otherwise or () if count)
        words = f"**{counter.name} is {_span(min(errors), max(errors))}.**"
        if flips:
            words += f" In {flips} of {numbers.plural(len(best), 'request')} the error would change what is left out."
        said.append((max(map(abs, errors)), words))
    if not said:
        return "**Everybody who counted these requests agrees.**"
    return "  \n".join(words for _, words in sorted(said, reverse=True))


def _span(low: float, high: float) -> str:
    """Example: _span(-41.2, 3.4) -> "41 % under to 3 % over"; _span(-46, -28) -> "28 to 46 % under"; _span(2, 2) -> "2 % over"."""
    if low < 0 < high:
        return f"{-low:.0f} % under to {high:.0f} % over"
    near, far = sorted((abs(low), abs(high)))
    way = "under" if low < 0 else "over"
    return f"{far:.0f} % {way}" if f"{near:.0f}" == f"{far:.0f}" else f"{near:.0f} to {far:.0f} % {way}"


def _best(record: RequestRecord, endpoint: int | None, sizes: MessageSizes) -> tuple[int, str]:
    """The figure the others are held against: the server's, else its counting endpoint's, else the model's own counter's."""
    if record.turn is not None and record.turn.usage.input_tokens is not None:
        return record.turn.usage.input_tokens, f"the server that answered, {record.turn.usage_provenance}"
    if endpoint is not None:
        return endpoint, "counting endpoint, counted"
    return sizes.parts(record).sent, frames.by(sizes.counter)


def _counted(page: Page, records: Sequence[RequestRecord], by: MessageSizes, own: MessageSizes) -> Counted:
    """A counter's totals, and where its sizes would decide otherwise than the model's own counter's."""
    totals = [by.parts(record).sent for record in records]
    if by is own:
        return Counted(by.counter.name, by.provenance, totals)
    otherwise = [
        decided_otherwise(by.planned_again(record, page.settings), own.planned_again(record, page.settings))
        for record in records
    ]
    return Counted(by.counter.name, by.provenance, totals, otherwise)


def decided_otherwise(one: ContextPlan, other: ContextPlan) -> int:
    """By how many messages two plans of the same candidates differ; 0 where they hold the same."""
    if one.runs == other.runs or all(run.included for plan in (one, other) for run in plan.runs):
        return 0
    return abs(one.included_count - other.included_count) or int(_kept(one) != _kept(other))


def _kept(plan: ContextPlan) -> list[tuple[int, int]]:
    return [(run.start, run.stop) for run in plan.runs if run.included]


def _ask(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes) -> None:
    """A button that has the newest requests counted by the provider's endpoint."""
    label, some = services.endpoint(page.settings.provider).label, min(ASKED_AT_ONCE, len(records))
    st.button(
        (
            f"Ask the counting endpoint ({numbers.plural(some, 'request')})"
            if some == len(records)
            else f"Ask the counting endpoint (newest {some})"
        ),
        icon=":material/calculate:",
        key="ask_counts",
        on_click=_asked,
        args=(page, list(records)[-ASKED_AT_ONCE:], sizes),
        help=(
            f"{label}: sends these requests to its counting endpoint, which is free and answers with a number. Nothing"
            " is stored."
        ),
    )
    if line := session.take_flash():
        st.warning(line, icon=":material/error:")


def _asked(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes) -> None:
    """Ask; what was counted stays counted where a later one fails."""
    try:
        answered = [endpoint_counts.ask(page.settings, record, sizes) for record in records]
    except ChatError as error:
        session.flash(f"{error.what} {error.next_step}")
        return
    if not any(answered):
        session.flash("This provider has no counting endpoint.")
