"""The tokens page, money: what it cost, what it would cost elsewhere, and how the cost grows.

The rule: money is tokens times list price, and says whose tokens; an unknown price is said in words, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import Bill, PriceComparison, cache_minimum, elsewhere, usages
from lib.analysis.replay import continued, replayed
from lib.analysis.requests import MessageSizes, RequestRecord
from lib.context import STRATEGIES
from lib.messages import Message
from lib.pricing import catalogue
from lib.pricing.costs import cost, saved_by_cache
from lib.pricing.model import Model
from lib.tokens import ESTIMATE
from lib.tokens.model_counters import counter_for
from lib.ui.components import charts, tables
from lib.ui.components.message_sizes import sized
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.shell.page import Page
from lib.ui.tokens.requests import SHOWN

DEFAULT_MODEL = "gpt-6-luna"
"""Priced where the session's own model has no price."""


def draw(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes, bills: Sequence[Bill]) -> None:
    """What it cost, elsewhere, and ahead."""
    _spent(bills)
    if records:
        _elsewhere(page, records, sizes)
        _ahead(page, sizes)
    st.caption(catalogue.prices_note())


def cost_sentence(bills: Sequence[Bill]) -> str:
    """Example: "It cost **$0.0042** (billed tokens at list price)."""
    known = [bill.cost.total for bill in bills if bill.cost is not None]
    unknown = len(bills) - len(known)
    if not known:
        return "What it cost is not known: no price known for what answered." if bills else "Nothing was paid for yet."
    total = sum(known, Decimal(0))
    who = " and ".join(dict.fromkeys(bill.provenance for bill in bills if bill.cost is not None))
    here = all(bill.provider == "local" for bill in bills if bill.cost is not None)
    said = (
        "It cost **nothing**: it ran on this machine."
        if here
        else f"It cost **{numbers.money(total)}** ({who} tokens at list price)."
    )
    return f"{said} For {numbers.plural(unknown, 'request')} no price is known." if unknown else said


def _spent(bills: Sequence[Bill]) -> None:
    """Cost per request and so far, cached input apart, hidden costs included."""
    st.subheader("What it cost", anchor=False)
    priced = [bill for bill in bills if bill.cost is not None]
    if not any(bill.cost is not None and bill.cost.total for bill in bills):
        st.markdown(cost_sentence(bills))
    else:
        st.markdown(_spent_sentence(priced))
        frame = frames.money(bills)
        shown = tables.visible_range(bills, SHOWN, "bills_shown")
        who = " and ".join(dict.fromkeys(bill.provenance for bill in priced))
        st.plotly_chart(
            charts.money_bars(frame.iloc[shown], f"{who} tokens at list price"),
            key="money_bars",
            config=tables.CHART,
            alt=(
                f"Stacked bars: the cost of {len(frame)} requests in USD, and their sum,"
                f" {numbers.money(_total(priced))}"
            ),
        )
    tables.draw(frames.money(bills), "money", "Every request with its cost in USD", columns=_usd_columns(frames.MONEY))


def _spent_sentence(priced: Sequence[Bill]) -> str:
    """Where the money went: the largest part, what the cache saved, what was hidden."""
    costs = [bill.cost for bill in priced if bill.cost is not None]
    total = _total(priced)
    reading = sum((c.uncached_input + c.cached_input + c.cache_write for c in costs), Decimal(0))
    said = (
        f"**{numbers.percent(reading, total)} of {numbers.money(total)} went into reading the conversation,** the rest"
        " into writing replies."
    )
    saved = sum((_saved(bill) for bill in priced), Decimal(0))
    if saved > 0:
        said += f" The provider's cache saved {numbers.money(saved)}."
    hidden = sum((c.hidden + c.reasoning for c in costs), Decimal(0))
    if hidden:
        said += f" {numbers.money(hidden)} of it you never see: hidden reasoning and compaction."
    return said


def _elsewhere(page: Page, records: Sequence[RequestRecord], sizes: MessageSizes) -> None:
    """The same requests at every other model's price, by that model's own counter."""
    st.subheader("What it would cost elsewhere", anchor=False)
    rows = elsewhere(records, lambda model: sizes_for(page, model, sizes), catalogue.catalogue())
    st.markdown(elsewhere_sentence(rows))
    tables.show(
        frames.elsewhere(rows),
        "elsewhere",
        "This conversation's cost on every model of the catalogue, in USD",
        columns=_usd_columns(("cost, nothing cached", "cost, prefix cached")),
    )
    st.caption(
        "The same requests and replies, counted by each model's own tokenizer; another model would have answered in"
        " other words. “Prefix cached” takes every prompt cache as still warm, and replies from it what a request"
        " repeats of the one before it."
    )


def elsewhere_sentence(rows: Sequence[PriceComparison]) -> str:
    """Example: "**From $0.0002 on gpt-6-luna to $0.12 on gpt-6-astra:** 600 times as much for the same conversation."""
    priced = [row for row in rows if row.plain]
    if not priced:
        return "No prices are known."
    low, high = priced[0], priced[-1]
    assert low.plain is not None
    assert high.plain is not None
    return (
        f"**From {numbers.money(low.plain)} on {low.model.name} to {numbers.money(high.plain)} on {high.model.name}:** "
        f"{high.plain / low.plain:,.0f} times as much for the same conversation, with nothing cached."
    )


def _ahead(page: Page, sizes: MessageSizes) -> None:
    """How the cost grows if the conversation goes on like this, under each strategy."""
    st.subheader("If it goes on like this", anchor=False)
    priced = {model.name: model for model in catalogue.catalogue() if model.vendor != "local"}
    own = services.find_model(page.settings.provider, page.settings.model)
    names = list(priced)
    start = (
        own.name if own is not None and own.name in priced else DEFAULT_MODEL if DEFAULT_MODEL in priced else names[0]
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = priced[st.selectbox("Model", names, index=names.index(start), key="ahead_model", width=260)]
        unit = st.segmented_control("Show", ["money", "tokens"], default="money", key="ahead_unit", required=True)
    going = continued(page.history, sizes_for(page, chosen, sizes))
    costs = growth(page, chosen, MessageSizes(going.counter, going.history), going.history, money=unit == "money")
    now = sum(1 for message in page.history if message.role == "user")
    provenance = numbers.mark(going.counter.provenance)
    label = f"USD so far ({provenance} tokens)" if unit == "money" else f"input tokens so far ({provenance})"
    frame = frames.growth(costs, label)
    st.markdown(ahead_sentence(costs, usd=unit == "money"))
    st.plotly_chart(
        charts.growth_lines(frame, label, label, now, usd=unit == "money"),
        key="growth",
        config=tables.CHART,
        alt="Lines: the sum so far over the turns, one per strategy. " + ahead_sentence(costs, usd=unit == "money"),
    )
    st.caption(
        f"Counted by {numbers.by(going.counter)}: what is stored, then exchanges of the mean size so far; window"
        f" {page.settings.max_tokens:,}, reserved {page.settings.reserved_for_reply:,}. The prompt cache is taken as"
        f" warm at every turn, from {cache_minimum(chosen):,} tokens on. A line ends where the request no longer fits"
        " the window."
    )
    tables.draw(frame, "growth", "The sum so far, by strategy and turn")


def growth(
    page: Page, model: Model, sizes: MessageSizes, history: Sequence[Message], *, money: bool
) -> Mapping[str, list[float]]:
    """For each strategy, what every turn adds: USD on this model, or input tokens. A strategy whose request no longer fits the
    window ends there."""
    found: dict[str, list[float]] = {}
    budget = page.settings.window.input_budget
    for strategy in STRATEGIES.values():
        records = replayed(history, sizes, replace(page.settings, strategy=strategy.name))
        records = list(takewhile(lambda record: sizes.parts(record).sent <= budget, records))
        used = usages(records, sizes, cache_minimum(model))
        if money:
            found[strategy.label] = [float(price.total) if (price := cost(model, usage)) else 0.0 for usage in used]
        else:
            found[strategy.label] = [float(usage.input_tokens or 0) for usage in used]
    return found


def ahead_sentence(costs: Mapping[str, list[float]], *, usd: bool) -> str:
    """Example: "**By turn 100 it is $0.42 with “Leave out the oldest”.** “Leave out nothing” no longer fits from turn 13 on.\""""
    turns = max(map(len, costs.values()), default=0)
    totals = {name: sum(each) for name, each in costs.items() if len(each) == turns}
    if not turns:
        return "Not even the next request fits the window."
    order = sorted(totals, key=totals.__getitem__)
    shown = order if len(order) < 3 else [order[0], order[-1]]
    said = " and ".join(
        f"{numbers.money(Decimal(str(totals[name]))) if usd else f'{totals[name]:,.0f} tokens'} with “{name}”"
        for name in shown
    )
    ended = [
        f" “{name}” no longer fits from turn {len(each) + 1} on." for name, each in costs.items() if len(each) < turns
    ]
    return f"**By turn {turns} it is {said}.**{''.join(ended)}"


def sizes_for(page: Page, model: Model, own: MessageSizes) -> MessageSizes:
    """The conversation by this model's counter."""
    if model.vendor == "local":
        return own if page.settings.provider == "local" else sized(page, ESTIMATE)
    counter = counter_for(model.vendor, model.name)
    return own if counter.name == own.counter.name else sized(page, counter)


def _saved(bill: Bill) -> Decimal:
    model = services.find_model(bill.provider, bill.model)
    return (saved_by_cache(model, bill.usage) or Decimal(0)) if model is not None else Decimal(0)


def _total(priced: Sequence[Bill]) -> Decimal:
    return sum((bill.cost.total for bill in priced if bill.cost is not None), Decimal(0))


def _usd_columns(names: Sequence[str]) -> dict[str, object]:
    return {name: st.column_config.NumberColumn(name, format="$%.4g") for name in (*names, "so far")}
