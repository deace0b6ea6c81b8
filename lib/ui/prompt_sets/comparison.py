"""The tab that compares two saved runs, or two models of one run, prompt by prompt: which answers flipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from lib.errors import ChatError
from lib.prompt_sets.comparing import Asked, Comparison, compare
from lib.prompt_sets.figures import ALPHA
from lib.prompt_sets.runs import OUTCOME_WORDS, Answer
from lib.ui.components import tables
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_option
from lib.ui.prompt_sets import carrying_out, saved, sentences, state
from lib.ui.prompt_sets.carrying_out import Opened
from lib.ui.shell import error_box

if TYPE_CHECKING:
    import pandas as pd

CHANGE_WORDS = {"better": "now passes", "worse": "no longer passes", "same": "same", "": "not comparable"}


class Side(NamedTuple):
    """One model of one run, as the menus list it."""

    run_id: str
    model: int
    label: str


def draw() -> None:
    """The two menus, the sentence, and the table."""
    try:
        sides = [
            Side(stored.run_id, model, as_option(f"{run.name}: {label}", 120))
            for run, stored in saved.runs()
            for model, label in enumerate(run.labels)
        ]
        if len(sides) < 2:
            st.info("There is nothing to compare yet: it takes two runs, or one run of two models.")
            return
        chosen = _choose(sides)
        if chosen is not None:
            _compare(*chosen)
    except ChatError as error:
        error_box.show(error)


def _choose(sides: list[Side]) -> tuple[Side, Side] | None:
    keys = {f"{side.run_id}.{side.model}": side for side in sides}
    left, right = st.columns(2)
    with left:
        before = st.selectbox("Before", list(keys), index=1, format_func=lambda key: keys[key].label, key=state.BEFORE)
    with right:
        after = st.selectbox("After", list(keys), index=0, format_func=lambda key: keys[key].label, key=state.AFTER)
    if before == after:
        st.info("These are the same. Choose another one.")
        return None
    return keys[before], keys[after]


def _compare(before: Side, after: Side) -> None:
    first, second = carrying_out.find(before.run_id), carrying_out.find(after.run_id)
    if first is None or second is None:
        st.info("One of these runs is gone.")
        return
    found = compare(_asked(first, before.model), _asked(second, after.model))
    st.markdown(sentence(found))
    if not found.pairs:
        return
    only = st.toggle("Only what flipped", key=state.ONLY_CHANGES)
    frame = _frame(found)
    shown = frame[frame["change"].isin([CHANGE_WORDS["better"], CHANGE_WORDS["worse"]])] if only else frame
    st.caption(f"Before: {as_label(before.label, 120)}. After: {as_label(after.label, 120)}.")
    tables.show(shown, "comparison", "Each prompt with both answers, and whether the result changed")


def _asked(found: Opened, model: int) -> Asked:
    return Asked(found.prompts, {place[0]: each for place, each in found.answers.items() if place[1] == model})


def sentence(found: Comparison) -> str:
    """Markdown. Example: "**3 prompts flipped to passed and 1 to failed, of 50 that both have.** That is no difference
    that these prompts can show (p = 0.63)." """
    if not found.pairs:
        return "**These runs have no prompt in common.**"
    better, worse = found.count("better"), found.count("worse")
    both = better + worse + found.count("same")
    if not both:
        return "**No prompt that both have was checked in both.**"
    prompts = numbers.plural(both, "prompt")
    words = f"**{better:,} flipped to passed and {worse:,} to failed, of {prompts} checked in both.**"
    if better + worse:
        shows = "These prompts show a difference" if found.p < ALPHA else "That can be chance"
        words += f" {shows} (p = {sentences.p_value(found.p)})."
    counts = {"before": found.only_before, "after": found.only_after}
    missing = [f"{count:,} only {which}" for which, count in counts.items() if count]
    return f"{words} Not in both: {numbers.listed(missing)}." if missing else words


def _frame(found: Comparison) -> pd.DataFrame:
    import pandas as pd

    rows = [
        [
            CHANGE_WORDS[pair.change],
            pair.prompt.id,
            pair.prompt.text,
            _result(pair.before),
            _result(pair.after),
            "" if pair.before is None else pair.before.text,
            "" if pair.after is None else pair.after.text,
        ]
        for pair in found.pairs
    ]
    columns = ["change", "id", "prompt", "result before", "result after", "answer before", "answer after"]
    return pd.DataFrame(rows, columns=columns)


def _result(answer: Answer | None) -> str:
    return "no answer" if answer is None else OUTCOME_WORDS[answer.outcome]
