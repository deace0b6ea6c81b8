"""The sentences of the context-window page that state a fact about a request, each with its numbers.

Every number comes from the record, the plan or the server's report; tests/ui/test_sentences.py recomputes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from lib.analysis.decisions import Decision, Difference
from lib.analysis.request_view import RequestView
from lib.analysis.requests import RequestRecord
from lib.context.plan import ContextPlan
from lib.context.reasons import REASON_TEXT, Reason
from lib.history import Import
from lib.ui.components import palette
from lib.ui.components.window_strip import in_batch
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown

WITHOUT_TOTAL: tuple[Reason, ...] = (
    "system",
    "muted",
    "partner_left_out",
    "app_sent",
    "app_changed",
    "app_dropped",
    "server_kept",
)
"""Reasons that no running total explains."""


def headline(view: RequestView, recorded: bool, imported: Import | None = None) -> str:
    """Example: "**4 of 9 messages were not sent,** 1,204 tokens (counted): 3 over budget, 1 muted." """
    if not recorded:
        origin = (
            f"**Imported from {as_markdown(imported.source)}; no request was made here.**"
            if imported is not None
            else "**Another service sent this, and there is no record of what it sent.**"
        )
        return (
            f"{origin} This is what a service that drops nothing would have sent:"
            f" {numbers.plural(view.total, 'message')}, {numbers.sized(view.tokens, view.provenance)}."
        )
    if view.sent == view.total:
        whole = "the only message" if view.total == 1 else f"all {view.total:,} messages, including the new one"
        return f"**Everything was sent:** {whole}, {numbers.sized(view.tokens, view.provenance)}."
    gone = view.total - view.sent
    return (
        f"**{gone:,} of {view.total:,} messages {'was' if gone == 1 else 'were'} not sent,**"
        f" {numbers.sized(view.left_out_tokens, view.provenance)}: {by_reason(view)}."
    )


def by_reason(view: RequestView) -> str:
    """How many messages were not sent for each reason. Example: "8 over budget, 4 in a batch down to 224";
    a single reason needs no number: "over budget"."""
    counts: dict[Reason, int] = {}
    for start, stop, included, reason in view.runs:
        if not included:
            counts[reason] = counts.get(reason, 0) + stop - start
    if len(counts) == 1:
        return tag(view, next(iter(counts)))
    return ", ".join(f"{count:,} {tag(view, reason)}" for reason, count in counts.items())


def tag(view: RequestView, reason: Reason) -> str:
    """The reason in a word or two; for a batch, with its target in tokens."""
    words = palette.REASON_TAGS[reason]
    return f"{words} down to {view.batch_target:,}" if reason == "batch" and view.batch_target is not None else words


def stretch(view: RequestView, start: int, stop: int, included: bool, reason: Reason) -> str:
    """A stretch of messages with one reason. Example: "12 messages dropped, 460 tokens: over budget"."""
    what = "sent" if included else "not sent" if reason == "muted" else "dropped"
    words = f"{numbers.plural(stop - start, 'message')} {what}, {numbers.plural(view.between(start, stop), 'token')}"
    return words if included else f"{words}: {tag(view, reason)}"


def why(view: RequestView, decision: Decision) -> str:
    """Why a message was sent or not, with the numbers that decided it."""
    text, reason = REASON_TEXT[decision.reason], decision.reason
    budget = None if view.window is None or not view.same_counter else view.window.input_budget
    if reason == "summarized":
        names = [ranges(lead.summary.sources) for lead in view.preamble if lead.summary is not None]
        return f"{text} It stands at the top: the summary of {names[0]}." if names else text
    if budget is None:
        return text
    with_it = f"With everything after it, the request would be {decision.with_it:,} tokens."
    if reason == "over_budget" and decision.with_it > budget:
        return f"Dropped: would exceed the {budget:,}-token budget. {with_it}"
    if reason == "middle" and decision.with_it > budget:
        return f"{text} {with_it[:-1]}, and the budget is {budget:,}."
    if reason == "batch" and view.batch_target is not None and decision.with_it > view.batch_target:
        return (
            f"Dropped in one batch, down to a target of {view.batch_target:,} tokens, so that the next requests begin"
            f" the same. {with_it}"
        )
    return text


def running_total(view: RequestView, decision: Decision) -> str:
    """Tokens of the request if it held this message's exchange and all after it. Example: "Running total 748 / 320".

    Empty where it explains nothing, or was not what the strategy compared.
    """
    if view.window is None or not view.same_counter or decision.reason in WITHOUT_TOTAL:
        return ""
    return f"Running total {decision.with_it:,} / {view.window.input_budget:,}"


def change(changed: Difference, before: RequestRecord, now: RequestRecord) -> str:
    """Example: "**From turn 3 to turn 4:** 2 messages added, 4 dropped, 6 kept." """
    added, dropped, kept = (
        sum(stop - start for start, stop in each) for each in (changed.entered, changed.left, changed.stayed)
    )
    return (
        f"**From {before.name} to {now.name}:** {numbers.plural(added, 'message')} added, {dropped:,} dropped,"
        f" {kept:,} kept."
    )


def next_headline(plan: ContextPlan, drafted: bool) -> str:
    """Example: "**Would send 5 of 9 messages** (with yours): 412 (counted) of a 1,536-token budget; 4
    dropped." """
    total = len(plan.candidates) - plan.candidates.preamble
    size = f"{numbers.tokens(plan.input_tokens, plan.provenance)} of a {plan.window.input_budget:,}-token budget"
    new = "with yours" if drafted else "your draft is empty"
    if not plan.fits:
        return f"**:red[The next request would not fit:]** {size}. You would be asked before anything is sent."
    if not plan.left_out_count:
        return f"**Would send all {numbers.plural(total, 'message')}** ({new}): {size}."
    return (
        f"**Would send {total - plan.left_out_count:,} of {numbers.plural(total, 'message')}** ({new}): {size};"
        f" {plan.left_out_count:,} dropped{in_batch(plan)}."
    )


def ranges(sources: Sequence[tuple[int, int]]) -> str:
    """Stored ranges in numbers that count from 1. Example: ranges([(0, 4), (6, 7)]) -> "1 to 4, 7"."""
    return ", ".join(str(start + 1) if stop - start == 1 else f"{start + 1} to {stop}" for start, stop in sources)
