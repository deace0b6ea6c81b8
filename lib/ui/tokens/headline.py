"""The tokens page's headline: how much was sent, what it cost, and how certain that is."""

from __future__ import annotations

import streamlit as st

from lib.settings import EXAMPLE
from lib.ui.format import numbers
from lib.ui.tokens.money import cost_sentence
from lib.ui.tokens.sent_requests import SentRequests


def draw(sent: SentRequests) -> None:
    """Draw the headline."""
    st.markdown(f"##### {sent_sentence(sent)}")
    st.markdown(cost_sentence(sent.bills))
    st.caption(certainty_sentence(sent))


def sent_sentence(sent: SentRequests) -> str:
    """Example: "You have typed 41 tokens. The model was sent 931, because every request re-sends the conversation."""
    typed = sum(sent.sizes.parts(record).newest for record in sent.records)
    total = sum(bill.usage.input_tokens or 0 for bill in sent.bills)
    who = numbers.who_counted(bill.provenance for bill in sent.bills)
    if sent.bills and all(bill.provider == EXAMPLE for bill in sent.bills):
        return (
            f"{numbers.sized(typed, sent.sizes.provenance)} were typed. A model would have been sent {total:,} ({who}),"
            " because every request re-sends the conversation."
        )
    verb = "You have paid for" if _all_billed(sent) else "The model was sent"
    sentence = f"You have typed {numbers.sized(typed, sent.sizes.provenance)}. {verb} {total:,} ({who})"
    if len(sent.bills) < 2 or not typed:
        return f"{sentence}."
    return f"{sentence}, because every request re-sends the conversation."


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
    parts.append(f"Message sizes are by {numbers.by(sent.sizes.counter)}.")
    return " ".join(parts)


def _all_billed(sent: SentRequests) -> bool:
    return bool(sent.bills) and all(bill.provenance == "billed" for bill in sent.bills)
