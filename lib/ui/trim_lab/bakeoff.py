"""The bake-off's tab: the same conversation under several strategies and windows, turn by turn, with no model call.

The rule: every contestant decides with the chat's own planner; what a model would have answered is not claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.analysis.replay import replayed
from lib.analysis.requests import RequestRecord
from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.lab import frames
from lib.lab.bakeoff import MOST, BakeOff, Contestant, ContestantRun, bake_off
from lib.ui.components import charts, tables, window_strip
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.trim_lab import report_files
from lib.ui.trim_lab.conversation import Lab

STARTERS = ("low_water", "oldest_first", "head_and_tail", "sliding_window")
WINDOWS = (256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192, 16_384, 32_768, 65_536, 128_000, 200_000)
SHOWN = {"sent": "tokens sent", "processed": "read anew", "left_out": "messages left out", "cost": "cost so far"}


def draw(lab: Lab) -> None:
    """Choose contestants and facts; the takeaway, strips at one turn, curves, facts, totals."""
    entries = pick_entries(lab, "bake")
    facts = lab.pick_facts()
    if len(entries) < 2:
        st.info("Choose at least two strategies, or one strategy and two windows.")
        return
    with st.spinner("Replaying the conversation", show_time=False):
        made = bake_off(lab.history, entries, lab.sizes_for, services.find_model, facts, lab.muted, lab.pinned)
    if not made.courses[0].steps:
        st.info("Nobody asked anything in this conversation yet.")
        return
    st.markdown(takeaway(made))
    _strips(lab, made)
    show(made, [lab.name_of(at) for at in made.facts], "bake")
    report_files.download_bakeoff(lab, made)


def show(made: BakeOff, names: Sequence[str], key: str) -> None:
    """What can be drawn without the conversation: curves, facts by these names, totals."""
    _curves(made, key)
    if made.facts:
        frame = frames.facts(made, names)
        tables.show(
            frame,
            f"{key}-facts",
            "For each fact and contestant, in how many requests it was, and from which turn on it was not",
        )
    _totals(made, key)


def pick_entries(lab: Lab, key: str) -> list[Contestant]:
    """Strategies and windows, combined: at most six."""
    left, right = st.columns([2, 1])
    with left:
        strategies = st.multiselect(
            "Strategies",
            list(STRATEGIES),
            default=STARTERS,
            key=f"{key}_strategies:{lab.key}",
            format_func=lambda name: STRATEGIES[name].label,
            placeholder="Choose two to six",
        )
    present = lab.settings.max_tokens
    with right:
        windows = st.multiselect(
            "Context windows (tokens)",
            sorted({*WINDOWS, present}),
            default=[present],
            key=f"{key}_windows:{lab.key}",
            format_func=lambda size: f"{size:,}",
        )
    made = [
        Contestant(_name(strategy, window, len(windows)), _with(lab, strategy, window))
        for strategy in strategies
        for window in windows
    ]
    if len(made) > MOST:
        st.caption(f"{len(made)} combinations; the first {MOST} are compared.")
    return made[:MOST]


def _name(strategy: str, window: int, windows: int) -> str:
    label = STRATEGIES[strategy].label
    return f"{label}, {window:,}" if windows > 1 else label


def _with(lab: Lab, strategy: str, window: int) -> ChatSettings:
    """These settings; a window too small for the reserve keeps a quarter of itself for the reply."""
    reserve = min(lab.settings.reserved_for_reply, window // 4)
    return replace(lab.settings, strategy=strategy, max_tokens=window, reserved_for_reply=reserve)


def takeaway(made: BakeOff) -> str:
    """Example: "**“Leave out the oldest, seldom and many at once” reads 4,210 tokens anew, “…, as few as possible” 9,980.**" """
    fits = [course for course in made.courses if not course.unfit] or list(made.courses)
    best, worst = min(fits, key=lambda c: c.processed), max(fits, key=lambda c: c.processed)
    said = (
        f"**“{best.entry.name}” makes the model read {best.processed:,} tokens anew over the conversation,"
        f" “{worst.entry.name}” {worst.processed:,}**"
    )
    if best is worst:
        said = f"**All of them make the model read {best.processed:,} tokens anew**"
    over = [f"“{course.entry.name}” {numbers.plural(course.unfit, 'time')}" for course in made.courses if course.unfit]
    who = numbers.mark(made.courses[0].provenance)
    return f"{said} ({who}, with a prompt cache). " + (
        f"Over the window: {', '.join(over)}." if over else "Every request fits."
    )


def _strips(lab: Lab, made: BakeOff) -> None:
    """Small multiples: one strip per contestant, all at one turn."""
    turns = len(made.courses[0].steps)
    turn = (
        turns
        if turns == 1
        else st.slider("Turn", 1, turns, turns, key=f"bake_turn:{lab.key}", help="All strips show this turn.")
    )
    for course in made.courses:
        settings = course.entry.settings
        sizes = lab.sizes_for(settings)
        record = _record(lab, course, turn)
        parts = sizes.parts(record)
        step = course.steps[turn - 1]
        left = f"; {numbers.plural(step.left_out, 'message')} left out" if step.left_out else ""
        st.caption(
            f"**{course.entry.name}** · {numbers.tokens(step.sent, course.provenance)} of {settings.max_tokens:,}{left}"
        )
        window_strip.draw(
            window_strip.fill_of_parts(parts, settings.max_tokens, settings.reserved_for_reply), tall=True
        )


def _record(lab: Lab, course: ContestantRun, turn: int) -> RequestRecord:
    return replayed(lab.history, lab.sizes_for(course.entry.settings), course.entry.settings, lab.muted, lab.pinned)[
        turn - 1
    ]


def _curves(made: BakeOff, key: str) -> None:
    """Per turn, one line per contestant."""
    priced = all(course.cost is not None for course in made.courses)
    shown = [name for name in SHOWN if name != "cost" or priced]
    chosen = st.segmented_control(
        "Per turn", shown, default="processed", required=True, key=f"{key}_curve", format_func=SHOWN.__getitem__
    )
    frame = frames.curves(made, chosen)
    who = numbers.mark(made.courses[0].provenance)
    axis = (
        f"{SHOWN[chosen]} (USD, {who})"
        if chosen == "cost"
        else SHOWN[chosen]
        if chosen == "left_out"
        else f"{SHOWN[chosen]} ({who} tokens)"
    )
    st.plotly_chart(
        charts.growth_lines(frame, chosen, axis, 0, usd=chosen == "cost"),
        key=f"{key}_lines",
        config=tables.CHART,
        alt=f"Lines over {len(made.courses[0].steps)} turns, one per contestant: {axis}",
    )
    if not priced:
        st.caption("No price is known for this model, so there is no cost to draw.")


def _totals(made: BakeOff, key: str) -> None:
    who = " and ".join(dict.fromkeys(numbers.mark(course.provenance) for course in made.courses))
    tables.draw(
        frames.totals(made),
        f"{key}-off",
        f"Totals of every contestant, tokens {who}, cost in USD",
        title=f"Totals (tokens {who})",
    )
