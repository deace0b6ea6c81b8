"""What trimming costs: leaving out a little at every turn against leaving out much and seldom, computed and measured.

The rule: what is computed says by whose counter and price; what is measured is sent only when asked for, and can be stopped.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.context import STRATEGIES
from lib.errors import ChatError
from lib.lab import frames
from lib.lab.bakeoff import Contestant
from lib.lab.latency import MeasuredLatency, Timed, Waiting, measured, requests
from lib.lab.trim_costs import EACH_TURN, SELDOM, TrimCosts, cuts, trim_costs
from lib.pricing import catalogue
from lib.pricing.model import Model
from lib.ui.components import charts, tables
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.trim_lab.conversation import Lab

NAMES = (STRATEGIES[EACH_TURN].label, STRATEGIES[SELDOM].label)
AHEAD = 60
TIMED = 6
"""Requests that are timed under each strategy."""


def draw(lab: Lab) -> None:
    """The sentence, the two lines, the table; then measuring."""
    model, to_turn = _choices(lab)
    made = trim_costs(lab.history, lab.sizes, lab.settings, model, to_turn, lab.muted, lab.pinned)
    st.markdown(takeaway(made, model))
    money = made.each_turn.cost is not None and bool(made.each_turn.cost)
    unit = "tokens"
    if money:
        unit = st.segmented_control("Show", ["tokens", "money"], default="tokens", required=True, key="costs_unit")
    frame = frames.costs(made, NAMES, money=unit == "money")
    who = numbers.mark(lab.sizes.provenance)
    axis = f"USD so far ({who} tokens)" if unit == "money" else f"tokens read anew so far ({who})"
    st.plotly_chart(
        charts.growth_lines(
            frame,
            "so far",
            axis,
            made.real_turns if made.real_turns < len(made.seldom.steps) else 0,
            usd=unit == "money",
        ),
        key="costs_lines",
        config=tables.CHART,
        alt=f"Two lines: {axis}. {takeaway(made, model)}",
    )
    st.caption(
        f"Counted by {numbers.by(lab.sizes.counter)}, with a prompt cache that is warm at every turn: it gives back the"
        f" beginning that two requests share. Window {lab.settings.max_tokens:,}, reserved"
        f" {lab.settings.reserved_for_reply:,}. "
        + (
            "Turns behind the line are made up, of the mean size so far."
            if len(made.seldom.steps) > made.real_turns
            else ""
        )
    )
    tables.draw(frame, "trim-costs", f"{axis}, by strategy and turn")
    _measure(lab)


def _choices(lab: Lab) -> tuple[Model | None, int | None]:
    """On which model, and until which turn."""
    listed = {model.name: model for model in catalogue.catalogue()}
    own = services.find_model(lab.settings.provider, lab.settings.model)
    names = list(listed)
    turns = sum(message.role == "user" for message in lab.history)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = names.index(own.name) if own is not None and own.name in listed else 0
        name = st.selectbox("Prices of", names, index=at, key=f"costs_model:{lab.key}", width=280)
        going = st.toggle(f"As if it went on to turn {max(AHEAD, turns + 20)}", value=True, key="costs_going")
    return listed[name], max(AHEAD, turns + 20) if going else None


def takeaway(made: TrimCosts, model: Model | None) -> str:
    """Example: "**Trimming at every turn makes the model read 3.5 times as many tokens anew: 31,437 against 8,982.** It cuts 30 times …" """
    each, seldom = made.each_turn, made.seldom
    if not cuts(each):
        return (
            "**Nothing has to be left out yet,** so both strategies send the same. Make the window smaller, or let the"
            " conversation go on."
        )
    words = f"{made.ratio:.1f} times as many tokens anew" if made.ratio is not None else "tokens anew"
    said = f"**Trimming at every turn makes the model read {words}: {each.processed:,} against {seldom.processed:,}.**"
    said += f" It changes the beginning of the request {len(cuts(each))} times, the other {len(cuts(seldom))}."
    if model is not None and each.cost and seldom.cost:
        said += f" On {model.name}: {numbers.money(each.cost)} against {numbers.money(seldom.cost)}."
    return said


def _measure(lab: Lab) -> None:
    """Time to first token, live, on the session's own provider."""
    st.subheader("MeasuredLatency here and now", anchor=False)
    timed = _requests(lab, "0" * 8)
    whole = sum(one.tokens for one in timed)
    label = services.endpoint(lab.settings.provider).label
    st.caption(
        f"Sends the last requests of this conversation to {label} under both strategies,"
        f" {numbers.plural(len(timed), 'request')} of {numbers.sized(whole, lab.sizes.provenance)} together, with"
        " replies of a few tokens, and times the first one. A short mark in the instructions, new for each run and"
        " strategy, keeps caches of earlier runs out of it. Nothing is stored."
    )
    key = f"timed:{lab.key}"
    if st.button("Measure", icon=":material/timer:", key="measure", disabled=not timed):
        _run(lab, _requests(lab, uuid.uuid4().hex[:8]), key)
    said = st.session_state.get(key)
    if said:
        _shown(said)


def _requests(lab: Lab, mark: str) -> list[Timed]:
    """The last requests under both strategies, with a mark of this run and strategy where a cache would begin to match."""
    entries = [
        Contestant(
            name,
            replace(
                lab.settings,
                strategy=strategy,
                system_prompt=f"Measurement {mark}-{place}. {lab.settings.system_prompt}",
            ),
        )
        for place, (name, strategy) in enumerate(zip(NAMES, (EACH_TURN, SELDOM), strict=True))
    ]
    return requests(lab.history, lab.sizes, entries, TIMED, muted=lab.muted, pinned=lab.pinned)


def _run(lab: Lab, timed: Sequence[Timed], key: str) -> None:
    """Send them one by one, with a bar and a way to stop."""
    found: list[dict[str, object]] = []
    st.session_state[key] = found
    bar = st.progress(0.0, "Starting")
    st.button("Stop", key="stop_measuring", icon=":material/stop_circle:")
    try:
        provider = services.provider_of(lab.settings, services.key_for(lab.settings.provider))
        for event in measured(provider, timed):
            part = len(found) / len(timed)
            if isinstance(event, Waiting):
                bar.progress(part, f"{event.name}, turn {event.turn}: {numbers.duration(event.seconds)}")
            elif isinstance(event, MeasuredLatency):
                found.append(
                    {
                        "strategy": event.name,
                        "turn": event.turn,
                        "tokens": event.tokens,
                        "cold": event.cold,
                        "first token in ms": event.first_token_ms,
                        "from the cache": event.usage.cached_tokens,
                        "error": str((event.error or {}).get("what", "")),
                    }
                )
                bar.progress(len(found) / len(timed), f"{len(found)} of {len(timed)}")
    except ChatError as error:
        st.warning(f"{error.what} {error.next_step}", icon=":material/error:")
    bar.empty()
    st.rerun()


def _shown(said: list[dict[str, object]]) -> None:
    import pandas as pd

    frame = pd.DataFrame(said)
    warm = frame[~frame["cold"] & frame["first token in ms"].notna()]
    medians = warm.groupby("strategy", sort=False)["first token in ms"].median()
    if len(medians) == 2:
        each, seldom = (medians[name] for name in NAMES)
        st.markdown(
            f"**First token after {numbers.duration(each / 1000)} when trimming at every turn,"
            f" {numbers.duration(seldom / 1000)} when trimming seldom** (medians, the first request of each left"
            " aside)."
        )
    tables.show(
        frame,
        "measured",
        "Each request with its time to the first token in ms, as measured, and tokens from the cache, as reported",
    )
