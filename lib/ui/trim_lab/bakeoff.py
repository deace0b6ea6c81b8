"""The tab "Which strategy loses least?": one conversation under several strategies and windows, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lib.lab import frames
from lib.lab.bakeoff import FEWEST, BakeOff
from lib.lab.frames import Measure
from lib.tokens import provenance_label
from lib.ui.components import charts, tables, window_strip
from lib.ui.format import numbers
from lib.ui.trim_lab import contestants, facts, report_files
from lib.ui.trim_lab.cached_bakeoff import DetailedBakeOff, compare
from lib.ui.trim_lab.conversation import Lab

MEASURES: Mapping[Measure, str] = {
    "sent": "tokens sent",
    "processed": "uncached tokens",
    "left_out": "messages dropped",
    "cost": "cost so far",
}


def draw(lab: Lab) -> None:
    """Draw the choices, the takeaway, the strips at one turn, the curves, the facts and the totals."""
    picked = contestants.pick(lab, "bake")
    followed = facts.pick_messages(lab)
    if len(picked) < FEWEST:
        st.info("Choose at least two strategies, or one strategy and two windows.")
        return
    comparison = compare(lab, picked, followed)
    result = comparison.result
    if not result.courses[0].steps:
        st.info("This conversation has no question yet.")
        return
    st.markdown(takeaway(result))
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
        )
    _totals(result, key)


def takeaway(result: BakeOff) -> str:
    """Example: "**“Batch” makes the model read 4,210 uncached tokens over the conversation, “Oldest first” 9,980**"."""
    fitting = [run for run in result.courses if not run.unfit] or list(result.courses)
    best, worst = (pick(fitting, key=lambda run: run.processed) for pick in (min, max))
    sentence = (
        f"**All of them make the model read {best.processed:,} uncached tokens**"
        if best is worst
        else f"**“{best.entry.name}” makes the model read {best.processed:,} uncached tokens over the conversation,"
        f" “{worst.entry.name}” {worst.processed:,}**"
    )
    over = [f"“{run.entry.name}” {numbers.plural(run.unfit, 'time')}" for run in result.courses if run.unfit]
    fits = f"Over the window: {', '.join(over)}." if over else "Every request fits."
    return f"{sentence} ({provenance_label(result.courses[0].provenance)}, with a prompt cache). {fits}"


def _strips(lab: Lab, comparison: DetailedBakeOff) -> None:
    """Draw one strip per contestant, all at the same turn."""
    runs = comparison.result.courses
    turns = len(runs[0].steps)
    turn = turns
    if turns > 1:
        turn = st.slider("Turn", 1, turns, turns, key=f"bake_turn:{lab.key}", help="All strips show this turn.")
    for run, parts in zip(runs, comparison.parts, strict=True):
        settings, step = run.entry.settings, run.steps[turn - 1]
        dropped = f"; {numbers.plural(step.left_out, 'message')} dropped" if step.left_out else ""
        st.caption(
            f"**{run.entry.name}** · {numbers.tokens(step.sent, run.provenance)} of {settings.max_tokens:,}{dropped}"
        )
        fill = window_strip.fill_of_parts(parts[turn - 1], settings.max_tokens, settings.reserved_for_reply)
        window_strip.draw(fill, tall=True)


def _curves(result: BakeOff, key: str) -> None:
    """Draw one line per contestant over the turns."""
    priced = all(run.cost is not None for run in result.courses)
    measures = [measure for measure in MEASURES if measure != "cost" or priced]
    measure = st.segmented_control(
        "Per turn", measures, default="processed", required=True, key=f"{key}_curve", format_func=MEASURES.__getitem__
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
