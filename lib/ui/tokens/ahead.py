"""How the cost of a conversation grows under each strategy if it goes on like this. No model is asked."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from lib.analysis import frames
from lib.analysis.bills import cache_minimum
from lib.analysis.growth import growth
from lib.analysis.replay import project
from lib.analysis.requests import MessageSizes, exchanges_of
from lib.context import STRATEGIES
from lib.pricing import catalogue
from lib.pricing.model import Model
from lib.tokens import provenance_label
from lib.ui.components import charts, tables
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.shell.page import Page
from lib.ui.tokens.sent_requests import sizes_for

DEFAULT_MODEL = "gpt-6-luna"
"""The model whose prices are shown at first if the session's own model has none."""
STRATEGY_NAMES = {strategy.short: name for name, strategy in STRATEGIES.items()}
"""The names of the strategies, by their short names."""


def draw(page: Page, sizes: MessageSizes) -> None:
    """Draw how the cost grows under each strategy if the conversation goes on like this."""
    st.subheader("If it goes on like this", anchor=False)
    model, unit = _choices(page)
    money = unit == "money"
    projection = project(page.history, sizes_for(page, model, sizes))
    projected_sizes = MessageSizes(projection.counter, projection.history)
    by_strategy = growth(projection.history, projected_sizes, page.settings, model, money=money)
    costs = {STRATEGIES[name].short: each for name, each in by_strategy.items()}
    who = provenance_label(projection.counter.provenance)
    label = f"USD so far ({who} tokens)" if money else f"input tokens so far ({who})"
    frame = frames.growth(costs, label)
    sentence = takeaway(costs, usd=money)
    st.markdown(sentence)
    turns_so_far = len(exchanges_of(page.history))
    st.plotly_chart(
        charts.growth_lines(frame, label, label, turns_so_far, usd=money, strategies=STRATEGY_NAMES),
        key="growth",
        config=tables.CHART,
        alt=f"Lines: the sum so far over the turns, one per strategy. {sentence}",
    )
    if note := charts.together_sentence(frame, label):
        st.caption(note)
    st.caption(
        f"{numbers.counted_by(projection.counter)} Turns after the line are projected at average size. Window"
        f" {page.settings.max_tokens:,}, reserved {page.settings.reply_tokens:,}. Assumes a prompt cache that is"
        f" warm at every turn, from {cache_minimum(model):,} tokens on. A line ends where the request no longer fits"
        " the window."
    )
    tables.draw(frame, "growth", "The sum so far, by strategy and turn")


def _choices(page: Page) -> tuple[Model, str]:
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


def takeaway(costs: Mapping[str, list[float]], *, usd: bool) -> str:
    """Example: "**By turn 100 it comes to $0.42 with “Batch”.** “Everything” stops fitting at turn 13."""
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
    ended = [f" “{name}” stops fitting at turn {len(each) + 1}." for name, each in costs.items() if len(each) < turns]
    return f"**By turn {turns} it comes to {amounts}.**{''.join(ended)}"
