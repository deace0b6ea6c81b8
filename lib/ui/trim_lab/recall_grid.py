"""Draws the answers of a recall probe as a grid of questions and arms, with every reply one click away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.analysis.bills import sum_or_none
from lib.lab.facts import Fact
from lib.lab.recall.grading import VERDICT_TEXT, Verdict
from lib.lab.recall.plan import Arm, ArmKind
from lib.lab.recall.run import Answer
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


@dataclass(frozen=True, slots=True)
class ArmAnswers:
    """All answers of one arm."""

    name: str
    kind: ArmKind
    answers: tuple[Answer, ...]

    @property
    def recalled(self) -> int:
        """How many answers are right."""
        return sum(answer.verdict == "recalled" for answer in self.answers)

    def to(self, fact: Fact) -> list[Answer]:
        """The answers to one question."""
        return [answer for answer in self.answers if answer.fact == fact]


def by_arm(answers: Sequence[Answer], arms: Iterable[Arm]) -> list[ArmAnswers]:
    """The answers grouped by arm, in the order they were asked."""
    kinds: dict[str, ArmKind] = {arm.name: arm.kind for arm in arms}
    names = dict.fromkeys(answer.arm for answer in answers)
    return [
        ArmAnswers(name, kinds.get(name, "plan"), tuple(answer for answer in answers if answer.arm == name))
        for name in names
    ]


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
    """Example: "**Best: “Ends”, 5 of 6 recalled.** For comparison: everything sent 6 of 6, nothing 0 of 6." """
    sentences = []
    strategies = [column for column in columns if column.kind == "plan"]
    controls = [column for column in columns if column.kind != "plan"]
    if strategies:
        best = max(strategies, key=lambda column: column.recalled)
        sentences.append(f"**Best: “{best.name}”, {best.recalled} of {len(best.answers)} recalled.**")
    if controls:
        compared = (f"with {column.name} sent {column.recalled} of {len(column.answers)}" for column in controls)
        sentences.append(f"For comparison: {', '.join(compared)}.")
    made_up = sum(answer.verdict == "made_up" for column in columns for answer in column.answers)
    sentences.append(f"{numbers.plural(made_up, 'answer')} made something up.")
    return " ".join(sentences)


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
