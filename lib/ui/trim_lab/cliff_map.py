"""The cliff map's tab: who survives at which budget, under one strategy.

The rule: every decision is the planner's own, made for every budget before the map is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.context.plan import Run
from lib.lab.bakeoff import Contestant
from lib.lab.break_points import KIND_TEXT, Marker, markers
from lib.lab.cliff_map import CliffMap, budgets, cliff_map
from lib.lab.report.report import Cliffs
from lib.ui.components import cliff_canvas, palette, strategy_fields, tables
from lib.ui.components.cliff_canvas import Kind, Line, Mark, Spoken
from lib.ui.format import numbers
from lib.ui.format.text import drawable
from lib.ui.shell import services
from lib.ui.trim_lab import report_files
from lib.ui.trim_lab.conversation import Lab

if TYPE_CHECKING:
    import pandas as pd

BESIDE = 300
"""Messages listed beside the map."""
TEXT = 160
"""Characters of each."""


def draw(lab: Lab) -> None:
    """The choices, the sentence, the map with the conversation beside it, the table."""
    left, right = st.columns(2, gap="medium")
    with left:
        settings = _choices(lab)
    with right:
        facts = lab.pick_facts()
    candidates = lab.candidates()
    upto = _upto(lab, candidates.upto(len(candidates)))
    made = cliff_map(candidates, settings.strategy, budgets(upto), settings.options, lab.muted, lab.pinned)
    broken = markers(made, candidates, facts)
    st.markdown(takeaway(made, lab, facts))
    _map(lab, made, broken, facts, settings)
    _breaks(broken, lab)
    tables.draw(frame(made, lab), f"cliff-{settings.strategy}", "From which budget on each message is sent, in tokens")
    entry = Contestant(STRATEGIES[settings.strategy].label, settings)
    sizes = lab.sizes
    report_files.download_cliffs(lab, Cliffs(entry, sizes.counter.name, sizes.provenance, made, tuple(broken)))


def _choices(lab: Lab) -> ChatSettings:
    """The strategy to look at, and its options: the session's own at first."""
    kept: dict[str, object] = st.session_state.setdefault(f"lab_cliff:{lab.key}", {})
    settings = lab.settings.updated(kept)

    def key_of(name: str) -> str:
        key = f"lab_cliff:{lab.key}:{name}"
        st.session_state[key] = getattr(settings, name)
        return key

    def changed() -> None:
        names = ("strategy", *strategy_fields.OPTIONS.get(settings.strategy, ()))
        values = {name: st.session_state.get(f"lab_cliff:{lab.key}:{name}") for name in names}
        st.session_state[f"lab_cliff:{lab.key}"] = kept | {
            name: value for name, value in values.items() if value is not None
        }

    strategy_fields.draw(settings.strategy, key_of, changed)
    return settings


def _upto(lab: Lab, whole: int) -> int:
    """The largest budget of the map: a little more than everything needs, or the model's window where that is smaller."""
    model = services.find_model(lab.settings.provider, lab.settings.model)
    window = model.context_window if model is not None else None
    enough = int(whole * 1.25) + 200
    return max(400, enough if window is None else min(max(window, lab.settings.max_tokens), enough))


def takeaway(made: CliffMap, lab: Lab, facts: list[int]) -> str:
    """Example: "**The first message survives from 2,048 tokens on.** Of 3 facts, 1 is gone at the present budget of 896." """
    first = made.survives(0)
    start = (
        "**The first message is left out at every budget here.**"
        if first is None
        else (
            f"**The first message is sent from {first:,} tokens on**"
            + (", at every budget of the map." if first == made.budgets[0] else ".")
        )
    )
    budget = lab.settings.window.input_budget
    row = made.rows[_place(made, budget)]
    gone = sum(not row.sends(fact) for fact in facts)
    if not facts:
        return start
    verb = "is" if gone == 1 else "are"
    return (
        f"{start} Of {numbers.plural(len(facts), 'fact')}, {gone} {verb} gone at {row.budget:,} tokens, near the"
        " present budget."
    )


def _map(lab: Lab, made: CliffMap, broken: list[Marker], facts: list[int], settings: ChatSettings) -> None:
    used = dict.fromkeys(run.reason for row in made.rows for run in row.runs)
    sent = {run.reason: run.included for row in made.rows for run in row.runs}
    kinds = [Kind(reason, palette.REASON_TAGS[reason], palette.REASON_COLOURS[reason], sent[reason]) for reason in used]
    size = max(1, len(lab.history))
    lines = [Line(_runs(row.runs, size), row.fits, _words(made, place, size)) for place, row in enumerate(made.rows)]
    listed = range(max(0, len(lab.history) - BESIDE), len(lab.history))
    spoken = [
        Spoken(
            at, f"{at + 1} {lab.history[at].role}", drawable(" ".join(lab.history[at].text.split())[:TEXT]), at in facts
        )
        for at in listed
    ]
    more = f"{listed.start:,} earlier messages are on the map, not in this list." if listed.start else ""
    cliff_canvas.draw(
        lines,
        spoken,
        kinds,
        _marks(made, broken),
        size=size,
        start=_place(made, lab.settings.window.input_budget),
        more=more,
        label=(
            f"Cliff map of {numbers.plural(size, 'message')} at {len(made.rows)} budgets from {made.budgets[0]:,} to "
            f"{made.budgets[-1]:,} tokens"
        ),
        key=f"cliff:{lab.key}",
    )
    st.caption(
        f"Budgets grow from {made.budgets[0]:,} tokens at the bottom to {made.budgets[-1]:,} at the top, each by the"
        " same factor. Point at the map, or use the slider. Triangles: below them, a fact, the instructions or a tool"
        " pair is lost. A red edge on the left: more than the budget, so you would be asked. Tokens by"
        f" {numbers.by(lab.sizes.counter)}."
    )


def _runs(runs: tuple[Run, ...], size: int) -> list[tuple[int, int, str]]:
    return [(run.start, min(run.stop, size), run.reason) for run in runs if run.start < size]


def _words(made: CliffMap, place: int, size: int) -> str:
    row = made.rows[place]
    kept = sum(min(run.stop, size) - run.start for run in row.runs if run.included and run.start < size)
    over = " It does not fit." if not row.fits else ""
    return f"{row.budget:,} tokens: {kept:,} of {size:,} messages are sent, {row.input_tokens:,} tokens.{over}"


def _place(made: CliffMap, budget: int) -> int:
    """The line of the largest budget of the map that is within this one."""
    return max((place for place, each in enumerate(made.budgets) if each <= budget), default=0)


def _marks(made: CliffMap, broken: list[Marker]) -> list[Mark]:
    colours = {"fact": palette.PINNED.colour, "instructions": palette.SYSTEM.colour}
    return [
        Mark(marker.index, made.budgets.index(marker.upto), colours.get(marker.kind, palette.OVER.colour))
        for marker in broken
        if marker.index is not None
    ]


def _breaks(broken: list[Marker], lab: Lab) -> None:
    """What breaks, in words."""
    for marker in broken[:12]:
        what = "The session's system prompt" if marker.index is None else lab.name_of(marker.index)
        st.caption(
            f":material/warning: Up to {marker.upto:,} tokens: {KIND_TEXT[marker.kind]} `{what.replace('`', '')}`"
        )
    if len(broken) > 12:
        st.caption(f"{len(broken) - 12} more.")


def frame(made: CliffMap, lab: Lab) -> pd.DataFrame:
    """From which budget on each stretch of messages is sent."""
    import pandas as pd

    rows = [
        [
            start + 1,
            min(stop, len(lab.history)),
            lab.history[start].role,
            survives,
            lab.sizes.between(start, min(stop, len(lab.history))),
        ]
        for start, stop, survives in made.survivals()
        if start < len(lab.history)
    ]
    who = numbers.mark(lab.sizes.provenance)
    made_frame = pd.DataFrame(
        rows, columns=["from message", "to message", "role of the first", "sent from this budget on", f"tokens, {who}"]
    )
    return made_frame.astype({"sent from this budget on": "Int64"})
