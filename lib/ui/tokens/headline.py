"""The tokens page's headline: how much was sent, what it cost, and how certain that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lib.analysis.bills import Bill
from lib.settings import EXAMPLE
from lib.tokens import Provenance, provenance_label
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.tokens.money import cost_sentence
from lib.ui.tokens.sent_requests import SentRequests


def draw(sent: SentRequests) -> None:
    """Draw the headline."""
    st.markdown(f"##### {sent_sentence(sent)}")
    st.markdown(cost_sentence(sent.bills))
    st.caption(certainty_sentence(sent))


def sent_sentence(sent: SentRequests) -> str:
    """Example: "You have typed 41 tokens (counted). The model was sent 931 (billed), because every request sends the
    conversation again."
    """
    typed = sum(sent.sizes_of(record).parts(record).newest for record in sent.records)
    who_typed = numbers.who_counted(sent.sizes_of(record).provenance for record in sent.records)
    total = sum(bill.usage.input_tokens or 0 for bill in sent.bills)
    if sent.bills and all(bill.provider == EXAMPLE for bill in sent.bills):
        return (
            f"{numbers.plural(typed, 'token')} ({who_typed}) were typed. A model would have been sent {total:,}"
            f" ({_split_by_counter(sent.bills)}), because every request sends the conversation again."
        )
    models = len({bill.model for bill in sent.bills if bill.model})
    verb = "You have paid for" if _all_billed(sent) else f"The {'models were' if models > 1 else 'model was'} sent"
    sentence = f"{verb} {total:,} ({_split_by_counter(sent.bills)})"
    if sent.records:
        sentence = f"You have typed {numbers.plural(typed, 'token')} ({who_typed}). {sentence}"
    if len(sent.bills) < 2 or not typed:
        return f"{sentence}."
    return f"{sentence}, because every request sends the conversation again."


def _split_by_counter(bills: Sequence[Bill]) -> str:
    """Who counted the tokens sent, with each one's share where there are several. Example: "162 counted, 60 billed"."""
    shares: Counter[Provenance] = Counter()
    for bill in bills:
        if bill.usage.input_tokens is not None:
            shares[bill.provenance] += bill.usage.input_tokens
    if len(shares) < 2:
        return numbers.who_counted(shares)
    return ", ".join(f"{tokens:,} {provenance_label(who)}" for who, tokens in shares.items())


def certainty_sentence(sent: SentRequests) -> str:
    """Who counted, and what is not known."""
    parts = [f"{numbers.plural(len(sent.bills), 'request')}."] if sent.bills else []
    unrecorded = sum(1 for bill in sent.bills if not bill.model)
    if unrecorded:
        subject = (
            "No turn was recorded"
            if unrecorded == len(sent.bills)
            else f"For {numbers.plural(unrecorded, 'message')} no turn was recorded"
        )
        parts.append(
            f"{subject}: another service sent them, or they were imported. Their size is what a service that drops"
            " nothing would send, counted here. What was really sent, its cost and its duration is unknown."
        )
    if sent.detached:
        parts.append(
            f"{numbers.plural(len(sent.detached), 'turn')} cannot be matched with the stored messages (they were"
            " changed since, or the turn ended before it was planned): the money includes them, the bars do not."
        )
    unreported = sum(1 for bill in sent.bills if bill.usage.input_tokens is None)
    if unreported:
        parts.append(f"For {numbers.plural(unreported, 'request')} no number of tokens was reported.")
    counters = [as_markdown(numbers.by(counter)) for counter in sent.counters]
    parts.append(
        f"Message sizes are by {counters[0]}."
        if len(counters) == 1
        else f"Message sizes are by the counter of the model that answered: {', '.join(counters)}."
    )
    return " ".join(parts)


def _all_billed(sent: SentRequests) -> bool:
    return bool(sent.bills) and all(bill.provenance == "billed" for bill in sent.bills)
