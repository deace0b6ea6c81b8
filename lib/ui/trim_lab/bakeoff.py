"""The tab "Which strategy loses least?": one conversation under several strategies and windows, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.analysis.requests import RequestParts
from lib.lab import frames
from lib.lab.bakeoff import FEWEST, BakeOff, ContestantRun, TurnResult
from lib.lab.frames import Measure
from lib.tokens import provenance_label
from lib.ui.components import charts, tables, window_strip
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.trim_lab import contestants, facts, report_files
from lib.ui.trim_lab.cached_bakeoff import DetailedBakeOff, compare
from lib.ui.trim_lab.conversation import UNCACHED_HELP, Lab

MEASURES: Mapping[Measure, str] = {
    "sent": "tokens sent",
    "processed": "uncached tokens",
    "left_out": "messages dropped",
    "cost": "cost so far",
}
BESIDE = 2
"""Strips beside each other, so that all of them are in view."""
MOST_DROPPED = 4
"""Dropped messages are drawn to scale up to this many times the width of a window."""


def draw(lab: Lab) -> None:
    """Draw the choices, the takeaway, the strips at one turn, the curves, the facts and the totals."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        picked = contestants.pick(lab, "bake")
    with right:
        followed = facts.pick_messages(lab)
    if len(picked) < FEWEST:
        st.info("Choose at least two strategies, or one strategy and two windows.")
        return
    comparison = compare(lab, picked, followed)
    result = comparison.result
    if not result.courses[0].steps:
        st.info("This conversation has no question yet.")
        return
    st.markdown(takeaway(result), help=UNCACHED_HELP)
    _strips(lab, comparison)
    show(result, [lab.label_of(index) for index in result.facts], "bake")
    report_files.download_bakeoff(lab, result)


def show(result: BakeOff, fact_names: Sequence[str], key: str) -> None:
    """Draw what needs no conversation: curves, facts and totals. `key` tells the widgets of two results apart."""
    _curves(result, key)
    if result.facts:
        tables.show(
            frames.facts(result, fact_names),
            f"{key}-facts",
            "For each fact and contestant, how many requests held it, and from which turn on none did",
            columns={"fact": st.column_config.TextColumn("fact", width=200)},
        )
    _totals(result, key)


def takeaway(result: BakeOff) -> str:
    """Example: "**“Ends” loses least: at turn 12 it sends 3 of 3 followed facts and drops 4 messages; “Batch” loses
    most: 1 of 3 and 8 messages.** The model reads 4,210 uncached tokens with “Batch”, 9,980 with “Ends” (counted, with
    a prompt cache). Every request fits."
    """
    over = [f"“{run.entry.name}” {numbers.plural(run.unfit, 'time')}" for run in result.courses if run.unfit]
    fits = f"Over the window: {', '.join(over)}." if over else "Every request fits."
    return f"{_loss_sentence(result)} {_reading_sentence(result)} {fits}"


def _loss_sentence(result: BakeOff) -> str:
    """Which contestants lose the least and the most at the last turn, among those whose request fits there."""
    fitting = [run for run in result.courses if run.steps[-1].fits] or list(result.courses)
    turn = fitting[0].steps[-1].turn
    losses = {run.entry.name: _loss(run) for run in fitting}
    if not any(dropped for _, dropped in losses.values()):
        return "**Nothing is dropped yet, so all of them send the same.** Make the window smaller to see a difference."
    least, most = min(losses.values()), max(losses.values())
    best = numbers.listed([f"“{name}”" for name, loss in losses.items() if loss == least])
    worst = numbers.listed([f"“{name}”" for name, loss in losses.items() if loss == most])
    facts = sum(1 for fact in fitting[0].steps[-1].facts if fact is not None)
    dropped = numbers.plural(least[1], "message")
    sends = f"sends {facts - least[0]} of {numbers.plural(facts, 'followed fact')} and drops" if facts else "drops"
    if least == most:
        return f"**All of them lose the same: at turn {turn} each {sends} {dropped}.**"
    other = f"{facts - most[0]} of {facts} and " if facts else ""
    one, another = ("loses" if "” and “" not in names else "lose" for names in (best, worst))
    it = "it" if one == "loses" else "each"
    return (
        f"**{best} {one} least: at turn {turn} {it} {sends} {dropped}; {worst} {another} most: {other}"
        f"{numbers.plural(most[1], 'message')}.**"
    )


def _loss(run: ContestantRun) -> tuple[int, int]:
    """Followed facts and messages that the last request does not hold."""
    last = run.steps[-1]
    return sum(fact is False for fact in last.facts), last.left_out


def _reading_sentence(result: BakeOff) -> str:
    """Who makes the model read the fewest uncached tokens over the conversation, and who the most."""
    fitting = [run for run in result.courses if not run.unfit] or list(result.courses)
    best, worst = (pick(fitting, key=lambda run: run.processed) for pick in (min, max))
    who = f"({provenance_label(result.courses[0].provenance)}, with a prompt cache)"
    if best.processed == worst.processed:
        return f"The model reads {best.processed:,} uncached tokens with each of them {who}."
    return (
        f"The model reads {best.processed:,} uncached tokens with “{best.entry.name}”, {worst.processed:,} with"
        f" “{worst.entry.name}” {who}."
    )


def _strips(lab: Lab, comparison: DetailedBakeOff) -> None:
    """Draw the strips at one turn, all to the same scale; contestants that send the same share one."""
    turns = len(comparison.result.courses[0].steps)
    turn = turns
    if turns > 1:
        turn = st.slider("Turn", 1, turns, turns, key=f"bake_turn:{lab.key}", help="All strips show this turn.")
    groups = same_requests(comparison, turn)
    fills = [window_strip.fill_of_parts(group.parts, *group.window) for group in groups]
    widest = max(fill.window + fill.over for fill in fills)
    scale = max(widest, min(MOST_DROPPED * widest, max(fill.left_out for fill in fills)))
    columns: Sequence[DeltaGenerator] = ()
    for place, (group, fill) in enumerate(zip(groups, fills, strict=True)):
        if place % BESIDE == 0:  # a row of its own for each few strips, so that they stand in line
            columns = st.columns(min(BESIDE, len(groups)), gap="medium")
        with columns[place % BESIDE]:
            st.markdown(strip_label(group, longer=fill.left_out > scale))
            window_strip.draw(fill, tall=True, scale=scale)
    st.caption(f"All strips have the same scale; what is dropped is hatched. Tokens by {_counters(comparison.result)}.")


def _counters(result: BakeOff) -> str:
    """Who counted, each once."""
    names = dict.fromkeys(f"{as_markdown(run.counter)} ({provenance_label(run.provenance)})" for run in result.courses)
    return numbers.listed(list(names))


@dataclass(frozen=True, slots=True)
class SameRequest:
    """Contestants that send the same at one turn. `window` is its tokens and those reserved for the reply."""

    names: tuple[str, ...]
    window: tuple[int, int]
    step: TurnResult
    parts: RequestParts


def same_requests(comparison: DetailedBakeOff, turn: int) -> list[SameRequest]:
    """The requests at this turn, with those together that hold the same messages in the same window."""
    groups: dict[object, SameRequest] = {}
    for run, held, parts in zip(comparison.result.courses, comparison.held, comparison.parts, strict=True):
        settings = run.entry.settings
        window = (settings.max_tokens, settings.reply_tokens)
        key = (window, held[turn - 1])
        names = (*groups[key].names, run.entry.name) if key in groups else (run.entry.name,)
        groups[key] = SameRequest(names, window, run.steps[turn - 1], parts[turn - 1])
    return list(groups.values())


def strip_label(group: SameRequest, *, longer: bool) -> str:
    """Example: "**Oldest first and Last N send the same** · 861 of 1,024 tokens; 4 messages dropped"."""
    names = numbers.listed(group.names)
    same = " send the same" if len(group.names) > 1 else ""
    label = f"**{names}{same}** · {group.step.sent:,} of {group.window[0]:,} tokens"
    if not group.step.left_out:
        return label
    label += f"; {numbers.plural(group.step.left_out, 'message')} dropped"
    return f"{label} ({group.parts.left_out:,} tokens, longer than drawn)" if longer else label


def _curves(result: BakeOff, key: str) -> None:
    """Draw one line per contestant over the turns."""
    priced = all(run.cost is not None for run in result.courses)
    measures = [measure for measure in MEASURES if measure != "cost" or priced]
    measure = st.segmented_control(
        "Per turn", measures, default="left_out", required=True, key=f"{key}_curve", format_func=MEASURES.__getitem__
    )
    who = provenance_label(result.courses[0].provenance)
    axis = MEASURES[measure] if measure == "left_out" else f"{MEASURES[measure]} ({who})"
    if measure == "cost":
        axis = f"{MEASURES[measure]} (USD, {who} tokens)"
    st.plotly_chart(
        charts.growth_lines(
            frames.curves(result, measure),
            measure,
            axis,
            0,
            usd=measure == "cost",
            strategies={run.entry.name: run.entry.settings.strategy for run in result.courses},
        ),
        key=f"{key}_lines",
        config=tables.CHART,
        alt=f"Lines over {len(result.courses[0].steps)} turns, one per contestant: {axis}",
    )
    if not priced:
        st.caption("No price is known for this model, so there is no cost to draw.")


def _totals(result: BakeOff, key: str) -> None:
    who = numbers.who_counted(run.provenance for run in result.courses)
    tables.draw(
        frames.totals(result),
        f"{key}-off",
        f"Totals of every contestant, tokens {who}, cost in USD",
        title=f"Totals (tokens {who})",
    )
