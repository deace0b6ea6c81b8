"""The tokens page: what every request held, who counted it, what it cost, and what is inside a message.

The rule: looking writes nothing and sends nothing; whatever asks a provider is a button that says so. Every number stands
beside a word for who counted it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.bills import Bill, bills_of
from lib.analysis.requests import MessageSizes, RequestRecord, detached, records_of
from lib.turns import Turn
from lib.ui.components import message_sizes
from lib.ui.format import numbers
from lib.ui.shell import menu, services
from lib.ui.shell.page import Page
from lib.ui.tokens import counters, inside, money, requests

REQUESTS, COUNTS, MONEY, INSIDE = "Request by request", "Who counted", "Money", "Inside a message"


@dataclass(frozen=True, slots=True)
class TokensView:
    """A session's requests, sized by the counter of its present model; `detached` turns cannot be laid beside messages."""

    page: Page
    records: Sequence[RequestRecord]
    detached: Sequence[Turn]
    sizes: MessageSizes
    bills: Sequence[Bill]


def load(page: Page) -> TokensView | None:
    """Put turn records, messages and counts together. None, with a word why, where there is nothing yet."""
    if page.chat is None or page.error is not None:
        return None
    turns = page.chat.store.turns(page.session_id)
    records = records_of(page.history, turns)
    if not records and not turns:
        _explain_empty(page)
        return None
    sizes = message_sizes.own_sizes(page)
    loose = detached(page.history, turns)
    return TokensView(page, records, loose, sizes, bills_of(records, loose, sizes, services.find_model))


def headline(view: TokensView) -> None:
    """What to know in ten seconds: how much was sent, what it cost, how sure that is."""
    st.markdown(f"##### {sent_sentence(view)}")
    st.markdown(money.cost_sentence(view.bills))
    st.caption(sure_sentence(view))


def sent_sentence(view: TokensView) -> str:
    """Example: "You have typed 412 tokens. The model was sent 9,310, because every request re-sends the conversation."""
    parts = [view.sizes.parts(record) for record in view.records]
    typed = sum(part.newest for part in parts)
    sent = sum(bill.usage.input_tokens or 0 for bill in view.bills)
    verb = "You have paid for" if _all_billed(view) else "The model was sent"
    words = f"You have typed {numbers.sized(typed, view.sizes.provenance)}. {verb} {sent:,} ({_who(view)})"
    if len(view.bills) < 2 or not typed:
        return f"{words}."
    return f"{words}, because every request re-sends the conversation."


def sure_sentence(view: TokensView) -> str:
    """Who counted what the bills rest on, and what is not known."""
    known = [bill for bill in view.bills if bill.model]
    said = f"{numbers.plural(len(view.bills), 'request')}. " if view.bills else ""
    missing = len(view.bills) - len(known)
    if missing:
        which = "No turn was" if missing == len(view.bills) else f"For {numbers.plural(missing, 'message')} no turn was"
        said += (
            f"{which} recorded: another service sent them. Their size is what a service that leaves nothing out would"
            " send, counted here. What was really sent, what it cost and how long it took cannot be known. "
        )
    if view.detached:
        said += (
            f"{numbers.plural(len(view.detached), 'turn')} cannot be laid beside the stored messages (they were changed"
            " since, or the turn ended before it was planned): they count in the money, not in the bars. "
        )
    return f"{said}Message sizes are by {numbers.by(view.sizes.counter)}."


def sections(view: TokensView) -> None:
    """The four tabs; only the open one is drawn."""
    tabs = st.tabs([REQUESTS, COUNTS, MONEY, INSIDE], key="tokens_tab", on_change="rerun")
    drawn = (requests.draw, counters.draw, money.draw, inside.draw)
    for tab, draw in zip(tabs, drawn, strict=True):
        if tab.open:
            with tab:
                draw(view.page, view.records, view.sizes, view.bills)


def _all_billed(view: TokensView) -> bool:
    return bool(view.bills) and all(bill.provenance == "billed" for bill in view.bills)


def _who(view: TokensView) -> str:
    """Example: "billed", or "billed and counted"."""
    words = dict.fromkeys(numbers.mark(bill.provenance) for bill in view.bills)
    return " and ".join(words) or numbers.NOT_REPORTED


def _explain_empty(page: Page) -> None:
    st.info("Nothing was sent yet. Send a message in the chat: how its request grows, and what it costs, appears here.")
    st.page_link(
        menu.MENU["chat"].path,
        label="To the chat",
        icon=menu.MENU["chat"].icon,
        query_params={"session": page.session_id},
    )
