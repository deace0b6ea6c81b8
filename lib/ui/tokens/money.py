"""The tab "Money": what the conversation cost, what it would cost on other models, and how the cost grows.

Money is tokens times list price and says who counted the tokens; an unknown price is named in words, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import Bill, PriceComparison, cache_minimum, compare_prices
from lib.analysis.growth import growth
from lib.analysis.replay import project
from lib.analysis.requests import MessageSizes
from lib.context import STRATEGIES
from lib.pricing import catalogue
from lib.pricing.costs import saved_by_cache
from lib.pricing.model import Model
from lib.settings import EXAMPLE
from lib.tokens import ESTIMATE, provenance_label
from lib.tokens.model_counters import counter_for
from lib.ui.components import charts, tables
from lib.ui.components.message_sizes import sized
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.shell.page import Page
from lib.ui.tokens.requests import MOST_BARS
from lib.ui.tokens.sent_requests import SentRequests

DEFAULT_MODEL = "gpt-6-luna"
"""The model whose prices are shown at first if the session's own model has none."""
STRATEGY_NAMES = {strategy.short: name for name, strategy in STRATEGIES.items()}
"""The names of the strategies, by their short names."""


def draw(sent: SentRequests) -> None:
    """Draw what it cost, what it would cost elsewhere, and how the cost grows."""
    _spent(sent.bills)
    if sent.records:
        _elsewhere(sent)
        _ahead(sent.page, sent.sizes)
    st.caption(catalogue.prices_note())


def cost_sentence(bills: Sequence[Bill]) -> str:
    """Example: "It cost **$0.0042** (billed tokens at list price)."""
    if bills and all(bill.provider == EXAMPLE for bill in bills):
        return "Nothing was paid: the replies were written by hand."
    bills = [bill for bill in bills if bill.provider != EXAMPLE]
    known = [bill.cost.total for bill in bills if bill.cost is not None]
    unknown = len(bills) - len(known)
    if not known:
        return (
            "The cost is not known: no price known for the model that answered." if bills else "Nothing was paid yet."
        )
    total = sum(known, Decimal(0))
    who = numbers.who_counted(bill.provenance for bill in bills if bill.cost is not None)
    ran_here = all(bill.provider == "local" for bill in bills if bill.cost is not None)
    sentence = (
        "It cost **nothing**: it ran on this machine."
        if ran_here
        else f"It cost **{numbers.money(total)}** ({who} tokens at list price)."
    )
    return f"{sentence} For {numbers.plural(unknown, 'request')} no price is known." if unknown else sentence


def _spent(bills: Sequence[Bill]) -> None:
    """Draw the cost per request and the sum so far."""
    st.subheader("What it cost", anchor=False)
    priced = [bill for bill in bills if bill.cost is not None]
    if not any(bill.cost is not None and bill.cost.total for bill in bills):
        st.markdown(cost_sentence(bills))
    else:
        st.markdown(_spent_sentence(priced))
        frame = frames.money(bills)
        visible = tables.visible_range(bills, MOST_BARS, "bills_shown")
        who = numbers.who_counted(bill.provenance for bill in priced)
        st.plotly_chart(
            charts.money_bars(frame.iloc[visible], f"{who} tokens at list price"),
            key="money_bars",
            config=tables.CHART,
            alt=(
                f"Stacked bars: the cost of {len(frame)} requests in USD, and their sum,"
                f" {numbers.money(_total(priced))}"
            ),
        )
    tables.draw(frames.money(bills), "money", "Every request with its cost in USD", columns=_usd_columns(frames.MONEY))


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
    tables.show(
        frames.price_comparison(comparisons),
        "elsewhere",
        "This conversation's cost on every model of the catalogue, in USD",
        columns=_usd_columns(("cost, nothing cached", "cost, prefix cached")),
    )
    st.caption(
        "The same requests and replies, counted by each model's own tokenizer; another model would have answered"
        " differently. “Prefix cached” assumes that the cache is still warm and returns what a request repeats of the"
        " one before it."
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


def _ahead(page: Page, sizes: MessageSizes) -> None:
    """Draw how the cost grows under each strategy if the conversation goes on like this."""
    st.subheader("If it goes on like this", anchor=False)
    model, unit = _ahead_choices(page)
    money = unit == "money"
    projection = project(page.history, sizes_for(page, model, sizes))
    projected_sizes = MessageSizes(projection.counter, projection.history)
    by_strategy = growth(projection.history, projected_sizes, page.settings, model, money=money)
    costs = {STRATEGIES[name].short: each for name, each in by_strategy.items()}
    who = provenance_label(projection.counter.provenance)
    label = f"USD so far ({who} tokens)" if money else f"input tokens so far ({who})"
    frame = frames.growth(costs, label)
    sentence = ahead_sentence(costs, usd=money)
    st.markdown(sentence)
    turns_so_far = sum(1 for message in page.history if message.role == "user")
    st.plotly_chart(
        charts.growth_lines(frame, label, label, turns_so_far, usd=money, strategies=STRATEGY_NAMES),
        key="growth",
        config=tables.CHART,
        alt=f"Lines: the sum so far over the turns, one per strategy. {sentence}",
    )
    st.caption(
        f"Counted by {numbers.by(projection.counter)}. Turns after the line are projected at average size. Window"
        f" {page.settings.max_tokens:,}, reserved {page.settings.reserved_for_reply:,}. Assumes a prompt cache that is"
        f" warm at every turn, from {cache_minimum(model):,} tokens on. A line ends where the request no longer fits"
        " the window."
    )
    tables.draw(frame, "growth", "The sum so far, by strategy and turn")


def _ahead_choices(page: Page) -> tuple[Model, str]:
    """The model whose prices are used, and "money" or "tokens"."""
    priced = {model.name: model for model in catalogue.catalogue() if model.vendor != "local"}
    names = list(priced)
    own = services.find_model(page.settings.provider, page.settings.model)
    preferred = [own.name if own is not None else DEFAULT_MODEL, DEFAULT_MODEL, *names]
    first = next(name for name in preferred if name in priced)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Model", names, index=names.index(first), key="ahead_model", width=260)
        unit = st.segmented_control("Show", ["money", "tokens"], default="money", key="ahead_unit", required=True)
    return priced[name], unit


def ahead_sentence(costs: Mapping[str, list[float]], *, usd: bool) -> str:
    """Example: "**By turn 100 it is $0.42 with “Oldest first”.** “Everything” no longer fits from turn 13 on."."""
    turns = max(map(len, costs.values()), default=0)
    if not turns:
        return "Not even the next request fits the window."
    totals = {name: sum(each) for name, each in costs.items() if len(each) == turns}
    by_total = sorted(totals, key=totals.__getitem__)
    extremes = by_total if len(by_total) < 3 else [by_total[0], by_total[-1]]
    amounts = " and ".join(
        f"{numbers.money(Decimal(str(totals[name]))) if usd else f'{totals[name]:,.0f} tokens'} with “{name}”"
        for name in extremes
    )
    ended = [
        f" “{name}” no longer fits from turn {len(each) + 1} on." for name, each in costs.items() if len(each) < turns
    ]
    return f"**By turn {turns} it is {amounts}.**{''.join(ended)}"


def sizes_for(page: Page, model: Model, own: MessageSizes) -> MessageSizes:
    """The sizes of the conversation by this model's counter."""
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
