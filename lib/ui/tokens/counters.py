"""The tab "Who counted": every counter beside the best figure, with its error and the decisions the error would change.

Nothing is sent to be counted until the button is pressed.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis import frames
from lib.analysis.frames import CounterTotals
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.tokens import ESTIMATE, PROVENANCE_TEXT
from lib.turns import Turn
from lib.ui.components import tables
from lib.ui.components.message_sizes import sized
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services, session
from lib.ui.shell.page import Page
from lib.ui.tokens import endpoint_counts
from lib.ui.tokens.requests import comparable_counters
from lib.ui.tokens.sent_requests import SentRequests

MOST_COUNTED = 20
"""Requests that one press sends to a counting endpoint, the newest first."""
NEGLIGIBLE = 0.05
"""Errors below this many percent are not mentioned."""


def draw(sent: SentRequests) -> None:
    """Draw the choice of counters, the takeaway, the table and the button that asks the provider."""
    if not sent.records:
        st.info("No stored message belongs to a request any more, so there is nothing to count again.")
        return
    by_endpoint = endpoint_counts.known(sent.page.settings, sent.records, sent.sizes)
    actual = [
        _actual(record, count, sent.sizes_of(record)) for record, count in zip(sent.records, by_endpoint, strict=True)
    ]
    picked = _picked_counters(sent)
    compared = {counter.name for counter in picked}
    counters = [*picked, *(counter for counter in _own_totals(sent) if counter.name not in compared)]
    if any(count is not None for count in by_endpoint):
        counters.append(CounterTotals("counting endpoint", "counted", by_endpoint))
    st.markdown(takeaway(counters, actual))
    tables.show(
        frames.who_counted([record.name for record in sent.records], actual, counters),
        "who_counted",
        "Every request with its size by each counter, and each counter's signed error",
    )
    _ask_button(sent)
    reported = [turn.usage_provenance for turn in _reporting_turns(sent.records)]
    with st.container(gap="xsmall"):
        for name in dict.fromkeys([*(counter.provenance for counter in counters), *reported]):
            st.caption(PROVENANCE_TEXT[name])


def takeaway(counters: Sequence[CounterTotals], actual: Sequence[tuple[int, str]]) -> str:
    """One sentence per counter that is off, the worst first.

    Example: "**characters / 4 counts 13 to 32% too few.** In 2 of 14 requests that would drop other messages."
    """
    sentences = []
    for counter in counters:
        errors = [
            100 * (count - true) / true
            for count, (true, _) in zip(counter.totals, actual, strict=True)
            if count is not None and true
        ]
        worst = max(map(abs, errors), default=0)
        if worst < NEGLIGIBLE:
            continue
        changed = sum(1 for count in counter.differing or () if count)
        sentence = f"**{as_markdown(counter.name)} {error_words(min(errors), max(errors))}.**"
        if changed:
            requests = numbers.plural(len(actual), "request")
            sentence += f" In {changed} of {requests} that would drop other messages."
        sentences.append((worst, sentence))
    if not sentences:
        return "**All counters agree on these requests.**"
    return "  \n".join(sentence for _, sentence in sorted(sentences, reverse=True))


def error_words(low: float, high: float) -> str:
    """Errors in percent as words.

    Example: error_words(-41.2, 3.4) -> "is off by −41% to +3%"; error_words(-32, -13) -> "counts 13 to 32% too few"
    """
    if low < 0 < high:
        first, last = (f"{round(error):+d}%".replace("-", "−") for error in (low, high))
        return f"is off by {first} to {last}"
    least, most = sorted(round(abs(error)) for error in (low, high))
    range_ = f"{most}%" if least == most else f"{least} to {most}%"
    return f"counts {range_} {'too few' if low < 0 else 'too many'}"


def _actual(record: RequestRecord, by_endpoint: int | None, sizes: MessageSizes) -> tuple[int, str]:
    """The best figure and who counted: the server that answered, its counting endpoint, or the model's own counter."""
    if record.turn is not None and record.turn.usage.input_tokens is not None:
        return record.turn.usage.input_tokens, f"the server that answered, {record.turn.usage_provenance}"
    if by_endpoint is not None:
        return by_endpoint, "counting endpoint, counted"
    return sizes.parts(record).sent, frames.by(sizes.counter)


def _picked_counters(sent: SentRequests) -> list[CounterTotals]:
    """The totals of other models' counters that were picked, and where they would decide differently."""
    alone = sent.counters[0].name if len(sent.counters) == 1 else None
    others = {name: other for name, other in comparable_counters(sent.sizes.counter).items() if name != alone}
    picked = st.pills(
        "Compare with",
        list(others),
        default=[ESTIMATE.name] if ESTIMATE.name in others else [],
        selection_mode="multi",
        wrap=True,
        key="counts_of",
        help="Other models' tokenizers on the same messages. The errors are relative to the model that answered.",
    )
    return [_other_totals(sent, sized(sent.page, others[name])) for name in others if name in picked]


def _other_totals(sent: SentRequests, other: MessageSizes) -> CounterTotals:
    settings = sent.page.settings
    differing = [
        differing_decisions(
            other.planned_again(record, settings), sent.sizes_of(record).planned_again(record, settings)
        )
        for record in sent.records
    ]
    totals = [other.parts(record).sent for record in sent.records]
    return CounterTotals(other.counter.name, other.provenance, totals, differing)


def _own_totals(sent: SentRequests) -> list[CounterTotals]:
    """For each model that answered, what its own counter says of its requests."""
    sizes = [sent.sizes_of(record) for record in sent.records]
    totals = [each.parts(record).sent for each, record in zip(sizes, sent.records, strict=True)]
    names = [counter.name for counter in sent.counters]
    found = []
    for counter in sent.counters:
        own = [(each.counter.name, each.provenance) == (counter.name, counter.provenance) for each in sizes]
        name = counter.name if names.count(counter.name) == 1 else numbers.by(counter)
        counted = [total if is_own else None for total, is_own in zip(totals, own, strict=True)]
        found.append(CounterTotals(name, counter.provenance, counted))
    return found


def _reporting_turns(records: Sequence[RequestRecord]) -> list[Turn]:
    """The turns whose server reported how many tokens it read."""
    turns = [record.turn for record in records if record.turn is not None]
    return [turn for turn in turns if turn.usage.input_tokens is not None]


def differing_decisions(one: ContextPlan, other: ContextPlan) -> int:
    """How many messages two plans of the same request keep or drop differently, at least; 0 if they hold the same."""
    if one.runs == other.runs or all(run.included for plan in (one, other) for run in plan.runs):
        return 0
    return abs(one.included_count - other.included_count) or int(_kept(one) != _kept(other))


def _kept(plan: ContextPlan) -> list[tuple[int, int]]:
    return [(run.start, run.stop) for run in plan.runs if run.included]


def _ask_button(sent: SentRequests) -> None:
    """The button that has the provider's endpoint count the newest requests."""
    label = as_markdown(services.endpoint(sent.page.settings.provider).label)
    count = min(MOST_COUNTED, len(sent.records))
    which = numbers.plural(count, "request") if count == len(sent.records) else f"newest {count}"
    st.button(
        f"Ask the counting endpoint ({which})",
        icon=":material/calculate:",
        key="ask_counts",
        on_click=_ask_endpoint,
        args=(sent.page, list(sent.records)[-MOST_COUNTED:], sent.sizes),
        help=f"Sends these requests to the counting endpoint of {label}, which is free. Nothing is stored.",
    )
    if message := session.take_flash():
        st.warning(as_markdown(message), icon=":material/error:")


def _ask_endpoint(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes) -> None:
    """Have the endpoint count. Counts from before a failure are kept. For callbacks."""
    try:
        counts = [endpoint_counts.ask(page.settings, record, sizes) for record in records]
    except ChatError as error:
        session.flash(f"{error.what} {error.next_step}")
        return
    if not any(counts):
        session.flash("This provider has no counting endpoint.")
