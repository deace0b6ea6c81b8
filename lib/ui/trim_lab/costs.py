"""The tab "What does trimming cost?": trimming at every turn and in batches, computed and measured."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.analysis.requests import exchanges_of
from lib.context import STRATEGIES
from lib.errors import ChatError
from lib.lab import frames
from lib.lab.bakeoff import Contestant
from lib.lab.latency import MeasuredLatency, TimedRequest, Waiting, measure, medians, requests
from lib.lab.trim_costs import EACH_TURN, IN_BATCHES, TrimCosts, cache_breaks, trim_costs
from lib.pricing import catalogue
from lib.pricing.model import Model
from lib.tokens import provenance_label
from lib.ui.components import charts, tables
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.providers import metered
from lib.ui.shell import services
from lib.ui.trim_lab import state
from lib.ui.trim_lab.conversation import UNCACHED_HELP, Lab

NAMES = (STRATEGIES[EACH_TURN].short, STRATEGIES[IN_BATCHES].short)
TURNS_AHEAD, FEWEST_AHEAD = 60, 20
"""A projection goes on to turn TURNS_AHEAD, and at least FEWEST_AHEAD turns further."""
TIMED = 6
"""Requests that are timed under each strategy."""
NO_MARK = "0" * 8
"""The mark of a run where only sizes matter."""


def draw(lab: Lab) -> None:
    """Draw the takeaway, the two lines and the table, then the measurement."""
    model, to_turn = _choices(lab)
    compared = trim_costs(lab.history, lab.sizes, lab.settings, model, to_turn, lab.marks)
    st.markdown(takeaway(compared, model), help=UNCACHED_HELP)
    _lines(lab, compared, takeaway(compared, model))
    _measurement(lab)


def _choices(lab: Lab) -> tuple[Model, int | None]:
    """The model whose prices are used, and the turn to project to."""
    models = {model.name: model for model in catalogue.catalogue()}
    own = services.find_model(lab.settings.provider, lab.settings.model)
    names = list(models)
    last = max(TURNS_AHEAD, len(exchanges_of(lab.history)) + FEWEST_AHEAD)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = names.index(own.name) if own is not None and own.name in models else 0
        name = st.selectbox("Prices of", names, index=first, key=f"costs_model:{lab.key}", width=280)
        projected = st.toggle(f"Continue to turn {last}", value=True, key="costs_going")
    return models[name], last if projected else None


def takeaway(compared: TrimCosts, model: Model) -> str:
    """Example: "**Trimming at every turn makes the model read 3.5 times as many uncached tokens: 31,437.**"."""
    each_turn, in_batches = compared.each_turn, compared.in_batches
    if not cache_breaks(each_turn):
        return (
            "**Nothing has to be dropped yet,** so both strategies send the same. Make the window smaller, or let the"
            " conversation go on."
        )
    times = f"{compared.ratio:.1f} times as many " if compared.ratio is not None else ""
    sentence = (
        f"**Trimming at every turn makes the model read {times}uncached tokens: {each_turn.processed:,} against"
        f" {in_batches.processed:,}.** It breaks the cache {numbers.plural(len(cache_breaks(each_turn)), 'time')};"
        f" batching, {len(cache_breaks(in_batches))}."
    )
    if each_turn.cost and in_batches.cost:
        sentence += f" On {model.name}: {numbers.money(each_turn.cost)} against {numbers.money(in_batches.cost)}."
    return sentence


def _lines(lab: Lab, compared: TrimCosts, sentence: str) -> None:
    """Draw both running sums, in tokens or money."""
    unit = "tokens"
    if compared.each_turn.cost:
        unit = st.segmented_control("Show", ["tokens", "money"], default="tokens", required=True, key="costs_unit")
    money = unit == "money"
    who = provenance_label(lab.sizes.provenance)
    axis = f"USD so far ({who} tokens)" if money else f"uncached tokens so far ({who})"
    frame = frames.costs(compared, NAMES, money=money)
    projected = len(compared.in_batches.steps) > compared.real_turns
    st.plotly_chart(
        charts.growth_lines(
            frame,
            "so far",
            axis,
            compared.real_turns if projected else 0,
            usd=money,
            strategies=dict(zip(NAMES, (EACH_TURN, IN_BATCHES), strict=True)),
        ),
        key="costs_lines",
        config=tables.CHART,
        alt=f"Two lines: {axis}. {sentence}",
    )
    if note := charts.together_sentence(frame, "so far"):
        st.caption(note)
    st.caption(
        f"{numbers.counted_by(lab.sizes.counter)} Assumes a prompt cache that is warm at every turn and returns the"
        f" beginning that two requests share. Window {lab.settings.max_tokens:,}, reserved"
        f" {lab.settings.reply_tokens:,}."
        + (" Turns after the line are projected at average size." if projected else "")
    )
    tables.draw(frame, "trim-costs", f"{axis}, by strategy and turn")


def _measurement(lab: Lab) -> None:
    """Draw the button that measures the time to the first token on the session's own provider, and the results."""
    st.subheader("Time to the first token, measured", anchor=False)
    timed = _requests(lab, NO_MARK)
    size = numbers.sized(sum(each.tokens for each in timed), lab.sizes.provenance)
    label = services.endpoint(lab.settings.provider).label
    st.caption(
        f"Sends the last requests of this conversation to “{as_markdown(label)}” under both strategies:"
        f" {numbers.plural(len(timed), 'request')}, {size} in all, with replies of a few tokens. A short mark in the"
        " instructions, new for each run and strategy, makes sure that no earlier cache is reused. Nothing is stored."
    )
    if st.button("Run measurement", icon=":material/timer:", key="measure", disabled=not timed):
        _run(lab, _requests(lab, uuid.uuid4().hex[: len(NO_MARK)]))
    results = state.latencies(lab.key)
    if results:
        _results(results)


def _requests(lab: Lab, mark: str) -> list[TimedRequest]:
    """The last requests under both strategies, each with a mark of its own so that no earlier cache matches."""
    contestants = [
        Contestant(
            name,
            replace(
                lab.settings,
                strategy=strategy,
                system_prompt=f"Measurement {mark}-{place}. {lab.settings.system_prompt}",
            ),
        )
        for place, (name, strategy) in enumerate(zip(NAMES, (EACH_TURN, IN_BATCHES), strict=True))
    ]
    return requests(lab.history, lab.sizes, contestants, TIMED, marks=lab.marks)


def _run(lab: Lab, timed: Sequence[TimedRequest]) -> None:
    """Send the requests one by one, with a progress bar and a Stop button, then redraw the page."""
    results: list[MeasuredLatency] = []
    state.set_latencies(lab.key, results)
    bar = st.progress(0.0, "Starting")
    st.button("Stop", key="stop_measuring", icon=":material/stop_circle:")
    try:
        provider = metered.provider_of(lab.settings)
        for event in measure(provider, timed):
            if isinstance(event, Waiting):
                text = f"{event.name}, turn {event.turn}: {numbers.duration(event.seconds)}"
            else:
                results.append(event)
                text = f"{len(results)} of {len(timed)}"
            bar.progress(len(results) / len(timed), text)
    except ChatError as error:
        st.warning(as_markdown(f"{error.what} {error.next_step}"), icon=":material/error:")
    bar.empty()
    st.rerun()


def _results(results: Sequence[MeasuredLatency]) -> None:
    """Draw the medians and the table."""
    each_turn, in_batches = (medians(results).get(name) for name in NAMES)
    if each_turn is not None and in_batches is not None:
        st.markdown(
            f"**First token after {numbers.duration(each_turn / 1000)} when trimming at every turn,"
            f" {numbers.duration(in_batches / 1000)} in batches** (medians without the first request of each)."
        )
    tables.show(
        frames.latencies(results),
        "measured",
        "Each request with its time to the first token in ms, as measured, and tokens from the cache, as reported",
    )
