"""The tab "What is lost at which budget?": which messages are sent at which budget, under one strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.context.plan import Run
from lib.lab.bakeoff import Contestant
from lib.lab.break_points import KIND_TEXT, Marker, markers
from lib.lab.cliff_map import CliffMap, budgets, cliff_map
from lib.lab.report.report import Cliffs
from lib.messages import utf8_safe
from lib.tokens import provenance_label
from lib.ui.components import cliff_canvas, palette, tables
from lib.ui.components.cliff_canvas import BudgetRow, Fate, ListedMessage, Mark
from lib.ui.components.message_parts.views import words_of
from lib.ui.components.settings_form import open_form
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services
from lib.ui.trim_lab import cliff_axes, facts, report_files, state
from lib.ui.trim_lab.conversation import Lab

if TYPE_CHECKING:
    import pandas as pd

MOST_LISTED = 300
"""Messages in the list beside the map, the newest."""
TEXT = 160
"""Characters of each."""
MOST_BREAKS = 12
"""Breaks that are named below the map."""
SENT = "sent"
"""The fate of a message that is sent for no special reason."""
SMALLEST_MAP = 400
"""The largest budget of a map is at least this many tokens."""


def draw(lab: Lab) -> None:
    """Draw the choices, the takeaway, the map with the conversation beside it, and the table."""
    left, right = st.columns(2, gap="medium")
    with left:
        settings = _settings(lab)
    with right:
        followed = facts.pick_messages(lab)
    candidates = lab.candidates()
    present = lab.settings.window.input_budget
    offered = budgets(_largest_budget(lab, candidates.upto(len(candidates))))
    at = (*offered, present) if offered[0] <= present <= offered[-1] else offered
    cliffs = cliff_map(candidates, settings.strategy, at, settings.options, lab.marks)
    breaks = markers(cliffs, candidates, followed)
    st.markdown(takeaway(cliffs, present, followed))
    if reversed_at := reversal_sentence(cliffs, present, settings):
        st.markdown(reversed_at)
    _map(lab, cliffs, breaks, followed)
    _breaks(breaks, cliffs, lab)
    tables.draw(
        frame(cliffs, lab), f"cliff-{settings.strategy}", "From which budget on each message is sent, in tokens"
    )
    contestant = Contestant(STRATEGIES[settings.strategy].short, settings)
    counter, provenance = lab.sizes.counter.name, lab.sizes.provenance
    report_files.download_cliffs(lab, Cliffs(contestant, counter, provenance, cliffs, tuple(breaks)))


def _settings(lab: Lab) -> ChatSettings:
    """Let the user pick the strategy and its options; at first the session's own."""

    def keep(changed: ChatSettings) -> None:
        state.keep_cliff_choices(lab.key, changed.changes_from(lab.settings))

    settings = lab.settings.updated(state.cliff_choices(lab.key))
    open_form(state.cliff_form(lab.key), settings, keep).strategy()
    return settings


def _largest_budget(lab: Lab, everything: int) -> int:
    """A little more than the tokens of everything, or the model's window if that is smaller."""
    model = services.find_model(lab.settings.provider, lab.settings.model)
    window = model.context_window if model is not None else None
    enough = int(everything * 1.25) + 200
    return max(SMALLEST_MAP, enough if window is None else min(max(window, lab.settings.max_tokens), enough))


def takeaway(cliffs: CliffMap, budget: int, followed: Sequence[int]) -> str:
    """Example: "**The first message is sent from 2,048 tokens on.** Of 3 facts, 1 is not sent at 887 tokens, ..." """
    first = cliffs.survives(0)
    if first is None:
        sentence = "**The first message is dropped at every budget here.**"
    elif first == cliffs.budgets[0]:
        sentence = f"**The first message is sent from {first:,} tokens on**, at every budget of the map."
    else:
        sentence = f"**The first message is sent from {first:,} tokens on.**"
    if not followed:
        return sentence
    row = cliffs.rows[_row_at(cliffs, budget)]
    dropped = sum(not row.sends(fact) for fact in followed)
    return (
        f"{sentence} At the present budget of {budget:,} tokens, {dropped} of"
        f" {numbers.plural(len(followed), 'followed fact')} {'is' if dropped == 1 else 'are'} not sent."
    )


def reversal_sentence(cliffs: CliffMap, budget: int, settings: ChatSettings) -> str:
    """Why a larger budget drops what a smaller one sends, where that happens nearest to this budget; empty if nowhere.

    Example: "A larger budget can drop what a smaller one sends: message 9 is sent at 762 tokens, not at 784. ..."
    """
    found = min(cliffs.reversals(), key=lambda each: abs(each.larger.budget - budget), default=None)
    if found is None:
        return ""
    smaller, larger = found.smaller, found.larger
    sentence = (
        f"A larger budget can drop what a smaller one sends: message {found.index + 1} is sent at {smaller.budget:,}"
        f" tokens, not at {larger.budget:,}."
    )
    name = STRATEGIES[settings.strategy].short
    if settings.strategy in ("low_water", "summarize"):
        share = numbers.percent(settings.options.low_mark, 1)
        return (
            f"{sentence} “{name}” drops down to {share} in one go and then lets the request grow: at"
            f" {larger.budget:,} tokens the request holds {larger.input_tokens:,} since its latest drop, at"
            f" {smaller.budget:,} it has grown to {smaller.input_tokens:,}."
        )
    return f"{sentence} “{name}” decides by whole exchanges, and at each budget others fit together."


def _map(lab: Lab, cliffs: CliffMap, breaks: Sequence[Marker], followed: Sequence[int]) -> None:
    size = max(1, len(lab.history))
    first_listed = max(0, len(lab.history) - MOST_LISTED)
    smallest, largest = cliffs.budgets[0], cliffs.budgets[-1]
    cliff_canvas.draw(
        [_budget_row(cliffs, place, size) for place in range(len(cliffs.rows))],
        [_listed(lab, index, fact=index in followed) for index in range(first_listed, len(lab.history))],
        _fates(cliffs),
        _marks(cliffs, breaks),
        cliff_axes.axes(cliffs, size, lab.settings.window.input_budget, lab.sizes.provenance),
        size=size,
        start=_row_at(cliffs, lab.settings.window.input_budget),
        more=f"{first_listed:,} earlier messages are on the map, not in this list." if first_listed else "",
        label=(
            f"Cliff map of {numbers.plural(size, 'message')} at {len(cliffs.rows)} budgets from {smallest:,} to"
            f" {largest:,} tokens"
        ),
        key=f"cliff:{lab.key}",
    )
    st.caption(
        "Point at the map or move the slider to see what is sent at a budget. A triangle marks"
        " where something you need drops out: a fact, the instructions, or a tool call with its result. At a red edge"
        " on the left even the smallest request is too big, so the chat would ask you what to do. Tokens by"
        f" {as_markdown(numbers.by(lab.sizes.counter))}."
    )


def _fates(cliffs: CliffMap) -> list[Fate]:
    """What becomes of the messages on the map, in the order it appears: one colour for each."""
    reasons = {_fate_of(run): run for row in cliffs.rows for run in row.runs}
    return [
        Fate(
            fate,
            SENT if fate == SENT else palette.REASON_TAGS[run.reason],
            palette.REASON_COLOURS[run.reason],
            run.included,
        )
        for fate, run in reasons.items()
    ]


def _fate_of(run: Run) -> str:
    """Its reason; the two ordinary reasons for being sent are one fate."""
    return SENT if run.reason in ("recent", "fits") else run.reason


def _budget_row(cliffs: CliffMap, place: int, size: int) -> BudgetRow:
    """One row of the map, over the first `size` messages."""
    row = cliffs.rows[place]
    runs = [Run(run.start, min(run.stop, size), run.included, run.reason) for run in row.runs if run.start < size]
    sent = sum(run.stop - run.start for run in runs if run.included)
    over = "" if row.fits else " It does not fit."
    summary = f"{row.budget:,} tokens: {sent:,} of {size:,} messages are sent, {row.input_tokens:,} tokens.{over}"
    return BudgetRow([(run.start, run.stop, _fate_of(run)) for run in runs], row.fits, summary)


def _listed(lab: Lab, index: int, *, fact: bool) -> ListedMessage:
    message = lab.history[index]
    text = utf8_safe(" ".join(words_of(message).split())[:TEXT])
    return ListedMessage(index, f"{index + 1} {message.role}", text, fact)


def _row_at(cliffs: CliffMap, budget: int) -> int:
    """The row of the largest budget of the map that is within this one."""
    return max((place for place, each in enumerate(cliffs.budgets) if each <= budget), default=0)


def _marks(cliffs: CliffMap, breaks: Sequence[Marker]) -> list[Mark]:
    colours = {"fact": palette.PINNED.colour, "instructions": palette.SYSTEM.colour}
    return [
        Mark(marker.index, cliffs.budgets.index(marker.largest_budget), colours.get(marker.kind, palette.OVER.colour))
        for marker in breaks
        if marker.index is not None
    ]


def _breaks(breaks: Sequence[Marker], cliffs: CliffMap, lab: Lab) -> None:
    """Name what breaks, and at which budgets."""
    for marker in breaks[:MOST_BREAKS]:
        what = KIND_TEXT[marker.kind]
        name = "The session's system prompt" if marker.index is None else lab.label_of(marker.index)
        st.caption(f":material/warning: {below(cliffs, marker)}, {what[0].lower()}{what[1:]} `{name.replace('`', '')}`")
    if len(breaks) > MOST_BREAKS:
        st.caption(f"{len(breaks) - MOST_BREAKS} more.")


def frame(cliffs: CliffMap, lab: Lab) -> pd.DataFrame:
    """One row per range of messages that are sent from the same budget on."""
    import pandas as pd

    size = len(lab.history)
    rows = [
        [start + 1, min(stop, size), lab.history[start].role, budget, lab.sizes.between(start, min(stop, size))]
        for start, stop, budget in cliffs.survivals()
        if start < size
    ]
    names = ["from message", "to message", "role of the first", "sent from this budget on"]
    return pd.DataFrame(rows, columns=[*names, f"tokens, {provenance_label(lab.sizes.provenance)}"]).astype(
        {"sent from this budget on": "Int64"}
    )


def below(cliffs: CliffMap, marker: Marker) -> str:
    """The first budget at which nothing of this breaks any more. Example: "Below 4,144 tokens"."""
    larger = next((budget for budget in cliffs.budgets if budget > marker.largest_budget), None)
    return "Even at the largest budget" if larger is None else f"Below {larger:,} tokens"
