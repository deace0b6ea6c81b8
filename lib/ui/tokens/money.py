"""The tab "Money": what the conversation cost, and what it would cost on other models.

Money is tokens times list price and says who counted the tokens; an unknown price is named in words, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import Bill, PriceComparison, compare_prices
from lib.pricing import catalogue
from lib.pricing.costs import saved_by_cache
from lib.settings import EXAMPLE
from lib.ui.components import bars, tables
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services
from lib.ui.tokens import ahead
from lib.ui.tokens.requests import MOST_BARS
from lib.ui.tokens.sent_requests import SentRequests, sizes_for

if TYPE_CHECKING:
    import pandas as pd


def draw(sent: SentRequests) -> None:
    """Draw what it cost, what it would cost elsewhere, and how the cost grows."""
    _spent(sent.bills)
    if sent.records:
        _elsewhere(sent)
        ahead.draw(sent.page, sent.sizes)
    st.caption(catalogue.prices_note())


def cost_sentence(bills: Sequence[Bill]) -> str:
    """Example: "It cost **$0.0042** (billed tokens at list price). 3 other requests ran on this machine and cost
    nothing."
    """
    if not bills:
        return "Nothing was paid yet."
    if all(bill.provider == EXAMPLE for bill in bills):
        return "Nothing was paid: the replies were written by hand."
    bills = [bill for bill in bills if bill.provider != EXAMPLE]
    here = sum(1 for bill in bills if bill.provider == "local")
    elsewhere = [bill for bill in bills if bill.provider != "local"]
    priced = [bill for bill in elsewhere if bill.cost is not None]
    sentences = []
    if priced:
        who = numbers.who_counted(bill.provenance for bill in priced)
        sentences.append(f"It cost **{numbers.money(_total(priced))}** ({who} tokens at list price).")
    if here:
        sentences.append(_free_sentence(here, len(bills)))
    if len(priced) < len(elsewhere):
        sentences.append(_unpriced_sentence([bill for bill in elsewhere if bill.cost is None], len(bills)))
    return " ".join(sentences)


def _free_sentence(here: int, total: int) -> str:
    """What ran on this machine. Example: "3 of 4 requests ran on this machine and cost nothing."."""
    if here == total:
        return "It cost **nothing**: it ran on this machine."
    return f"{here:,} of {numbers.plural(total, 'request')} ran on this machine and cost nothing."


def _unpriced_sentence(unpriced: Sequence[Bill], total: int) -> str:
    """Which requests have no known price, and whose they were."""
    models = dict.fromkeys(bill.model for bill in unpriced)
    names = ", ".join(as_markdown(name) if name else "a model that was not recorded" for name in models)
    if len(unpriced) == total:
        return f"The cost is not known: no price known for {names}."
    return f"For {len(unpriced):,} of {numbers.plural(total, 'request')} no price is known ({names})."


def _spent(bills: Sequence[Bill]) -> None:
    """Draw the cost per request and the sum so far."""
    st.subheader("What it cost", anchor=False)
    priced = [bill for bill in bills if bill.cost is not None]
    frame = frames.money(bills)
    if not any(bill.cost is not None and bill.cost.total for bill in bills):
        st.markdown(cost_sentence(bills))
    else:
        st.markdown(_spent_sentence(priced))
        visible = tables.visible_range(bills, MOST_BARS, "bills_shown")
        who = numbers.who_counted(bill.provenance for bill in priced if bill.cost is not None and bill.cost.total)
        st.plotly_chart(
            bars.money_bars(frame.iloc[visible], f"{who} tokens, list price"),
            key="money_bars",
            config=tables.CHART,
            alt=(
                f"Stacked bars: the cost of {len(frame)} requests in USD, and their sum,"
                f" {numbers.money(_total(priced))}"
            ),
        )
    columns = usd_columns(frame, (*frames.MONEY, "so far"))
    tables.draw(frame, "money", "Every request with its cost in USD", columns=columns)


def _spent_sentence(priced: Sequence[Bill]) -> str:
    """Where the money went: reading or writing, what the cache saved, and what was hidden."""
    costs = [bill.cost for bill in priced if bill.cost is not None]
    total = _total(priced)
    reading = sum((cost.uncached_input + cost.cached_input + cost.cache_write for cost in costs), Decimal(0))
    sentence = (
        f"**{numbers.percent(reading, total)} of {numbers.money(total)} went into reading the conversation,** the rest"
        " into writing replies."
    )
    saved = sum((_saved(bill) for bill in priced), Decimal(0))
    if saved > 0:
        sentence += f" The provider's cache saved {numbers.money(saved)}."
    hidden = sum((cost.hidden + cost.reasoning for cost in costs), Decimal(0))
    if hidden:
        sentence += f" {numbers.money(hidden)} of it you never see: hidden reasoning and compaction."
    return sentence


def _elsewhere(sent: SentRequests) -> None:
    """Draw the same requests at every model's price, by that model's own counter."""
    st.subheader("What it would cost elsewhere", anchor=False)
    comparisons = compare_prices(
        sent.records, lambda model: sizes_for(sent.page, model, sent.sizes), catalogue.catalogue()
    )
    st.markdown(elsewhere_sentence(comparisons))
    compared = frames.price_comparison(comparisons)
    tables.show(
        compared,
        "elsewhere",
        "This conversation's cost on every model of the catalogue, in USD",
        columns=usd_columns(compared, frames.COSTS),
    )
    st.caption(
        "The same requests and replies, counted by each model's own tokenizer; another model would have answered"
        " differently. “Cached” assumes that the cache is still warm and returns what a request repeats of the one"
        " before it."
    )


def elsewhere_sentence(comparisons: Sequence[PriceComparison]) -> str:
    """Example: "**From $0.0002 on gpt-6-luna to $0.12 on gpt-6-astra:** 600 times as much for the same conversation."""
    priced = [comparison for comparison in comparisons if comparison.plain]
    if not priced:
        return "No prices are known."
    low, high = priced[0], priced[-1]
    assert low.plain is not None
    assert high.plain is not None
    return (
        f"**From {numbers.money(low.plain)} on {low.model.name} to {numbers.money(high.plain)} on {high.model.name}:** "
        f"{high.plain / low.plain:,.0f} times as much for the same conversation, with nothing cached."
    )


def _saved(bill: Bill) -> Decimal:
    model = services.find_model(bill.provider, bill.model)
    return (saved_by_cache(model, bill.usage) or Decimal(0)) if model is not None else Decimal(0)


def _total(priced: Sequence[Bill]) -> Decimal:
    return sum((bill.cost.total for bill in priced if bill.cost is not None), Decimal(0))


def usd_columns(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, Any]:
    """Settings for columns of USD: two digits of the smallest amount of the column, at most six after the point.

    Example: 0.31 and 0.0064 in one column -> "$0.3100" and "$0.0064"
    """
    return {name: st.column_config.NumberColumn(name, format=f"$%.{_digits(frame[name])}f") for name in names}


def _digits(amounts: Iterable[float]) -> int:
    known = [abs(amount) for amount in amounts if amount == amount and amount]
    return min(6, max(2, 1 - Decimal(str(min(known))).adjusted())) if known else 2
