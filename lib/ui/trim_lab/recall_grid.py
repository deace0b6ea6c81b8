"""Draws the answers of a recall probe as a grid of questions and arms, with every reply one click away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import streamlit as st

from lib.analysis.bills import sum_or_none
from lib.lab.recall.grading import VERDICT_TEXT, Verdict
from lib.lab.recall.plan import Arm
from lib.lab.recall.run import Answer
from lib.lab.recall.standings import ArmAnswers, Standing, Standings, by_arm, standings
from lib.messages import utf8_safe
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown

MARKS: dict[Verdict | None, tuple[str, str]] = {
    "recalled": ("✓", "recalled"),
    "admitted": ("○", "admitted"),
    "made_up": ("✗", "made up"),
    None: ("!", "failed"),
}
"""The sign and the word for each verdict; None is a question that failed."""


WHAT_NEXT = (
    "Choose a larger model for this chat, ask plainer questions, or correct the expected answers; then run the probe"
    " again."
)


def draw(answers: Sequence[Answer], arms: Iterable[Arm], *, stopped: bool, key: str) -> None:
    """Draw the takeaway and the grid; `stopped` if not all questions were asked."""
    import pandas as pd

    if not answers:
        st.info("The probe was stopped before the first answer.")
        return
    columns = by_arm(answers, arms)
    facts = list(dict.fromkeys(answer.fact for answer in answers))
    st.markdown(takeaway(columns) + (" It was stopped before all questions were asked." if stopped else ""))
    rows = [[fact.question, *(_cell(column.to(fact)) for column in columns)] for fact in facts]
    rows.append(["tokens read, as reported", *(_spent(column.answers) for column in columns)])
    grid = st.dataframe(
        pd.DataFrame(rows, columns=["question", *(column.name for column in columns)]),
        key=f"{key}_grid",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        alt="For each question and strategy: recalled, admitted or made up, and how often",
    )
    st.caption(
        "✓ the answer is in the reply · ○ the reply says that the model does not know · ✗ it claims something else."
        " Click a cell to read the answers."
    )
    row, name = next(iter(grid.selection.cells), (len(facts), ""))
    if row < len(facts):
        for answer in (answer for column in columns if column.name == name for answer in column.to(facts[row])):
            _reply(answer)


def takeaway(columns: Sequence[ArmAnswers]) -> str:
    """Example: "**Best: “Ends”, 5 of 6 recalled.** For comparison: with everything sent 6 of 6, with nothing sent 0 of
    6. 1 answer made something up."
    """
    sentences = [_verdict(standings(columns))]
    controls = [column for column in columns if column.kind != "plan"]
    if controls:
        compared = (
            f"with {column.name} sent {f'{column.recalled} of {len(column.answers)}' if column.graded else 'no answer'}"
            for column in controls
        )
        sentences.append(f"For comparison: {', '.join(compared)}.")
    made_up = sum(answer.verdict == "made_up" for column in columns for answer in column.answers)
    sentences.append(f"{numbers.plural(made_up, 'answer')} made something up.")
    return " ".join(sentence for sentence in sentences if sentence)


def _verdict(result: Standings) -> str:
    """Who did best on the questions that can be judged, or why nobody can be named."""
    if result.control == "missing":
        return (
            "**There is no answer with everything sent, so no strategy can be judged.** If those requests did not fit,"
            " add a larger context window above, or choose a model that has one."
        )
    if result.control == "failed":
        return (
            "**This model cannot answer these questions even with everything sent, so the rest means nothing.**"
            f" {WHAT_NEXT}"
        )
    left_out = []
    if result.unknown:
        left_out.append(f"{numbers.plural(result.unknown, 'question')} it cannot answer even with everything sent")
    if result.guessed:
        left_out.append(f"{numbers.plural(result.guessed, 'question')} it answers with nothing sent")
    note = f" Not judged: {' and '.join(left_out)}." if left_out else ""
    if not result.judged:
        return f"**No question can be judged.**{note} {WHAT_NEXT}"
    return f"{_best(result.strategies)}{note}"


def _best(strategies: Sequence[Standing]) -> str:
    """Example: "**Best: “Ends” and “Batch”, 3 of 4 recalled each.**"."""
    if not strategies:
        return ""
    most = strategies[0].recalled
    if not most:
        return "**No strategy recalls any of them, though the model can answer them with everything sent.**"
    best = [each for each in strategies if each.recalled == most]
    if len(best) == len(strategies) > 1:
        return f"**All strategies recall the same: {most} of {best[0].asked}.**"
    names = numbers.listed([f"“{each.name}”" for each in best])
    return f"**Best: {names}, {most} of {best[0].asked} recalled{' each' if len(best) > 1 else ''}.**"


def _cell(answers: Sequence[Answer]) -> str:
    """Example: "✓ recalled", or "✓ 2 ○ 1" for a question that was asked more than once."""
    if not answers:
        return "not asked"
    suffix = "" if any(answer.held for answer in answers) else " (not sent)"
    if len(answers) == 1:
        return " ".join(MARKS[answers[0].verdict]) + suffix
    counts = Counter(answer.verdict for answer in answers)
    return " ".join(f"{sign} {counts[verdict]}" for verdict, (sign, _) in MARKS.items() if counts[verdict]) + suffix


def _spent(answers: Sequence[Answer]) -> str:
    """Tokens read, and the cost if there is one. Example: "1,240, $0.0021"."""
    read = [answer.usage.input_tokens for answer in answers]
    tokens = numbers.NOT_REPORTED if None in read else f"{sum(count or 0 for count in read):,}"
    cost = sum_or_none(answer.cost for answer in answers)
    return f"{tokens}, {numbers.money(cost)}" if cost else tokens


def _reply(answer: Answer) -> None:
    """Draw one reply with its grade, or the error."""
    if answer.error is not None:
        st.warning(as_markdown(str(answer.error.get("what", ""))), icon=":material/error:")
        return
    assert answer.verdict is not None
    held = "The fact was in the request." if answer.held else "The fact was not in the request."
    st.caption(f"{VERDICT_TEXT[answer.verdict]} {held} Expected: `{answer.fact.answer.replace('`', '')}`")
    st.code(utf8_safe(answer.reply), language=None, wrap_lines=True)
