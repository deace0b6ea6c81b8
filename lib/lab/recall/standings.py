"""What a recall probe proves: which of its questions can be judged, and how each arm did on those.

A question is judged only if the model answers it with everything sent, and not with nothing sent. What it cannot answer
with everything sent says something about the model, and what it answers with nothing sent can be guessed; neither says
anything about a strategy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lib.lab.facts import Fact
from lib.lab.recall.plan import Arm, ArmKind
from lib.lab.recall.run import Answer

Control = Literal["passed", "failed", "missing"]
"""Whether the model could answer anything with everything sent; "missing" if it was never answered then."""


@dataclass(frozen=True, slots=True)
class ArmAnswers:
    """All answers of one arm. `model` is the provider and the model that answered; empty if the arm is not known."""

    name: str
    kind: ArmKind
    answers: tuple[Answer, ...]
    model: tuple[str, str] = ("", "")

    @property
    def recalled(self) -> int:
        """How many answers are right."""
        return sum(answer.verdict == "recalled" for answer in self.answers)

    @property
    def graded(self) -> int:
        """How many questions came back with a reply."""
        return sum(answer.verdict is not None for answer in self.answers)

    def to(self, fact: Fact) -> list[Answer]:
        """The answers to one question."""
        return [answer for answer in self.answers if answer.fact == fact]

    def knows(self, fact: Fact) -> bool:
        """Whether at least half of its answers to this question are right."""
        answers = self.to(fact)
        return bool(answers) and 2 * sum(answer.verdict == "recalled" for answer in answers) >= len(answers)


@dataclass(frozen=True, slots=True)
class Standing:
    """One strategy's right answers to the judged questions, and how many of those it was asked."""

    name: str
    recalled: int
    asked: int


@dataclass(frozen=True, slots=True)
class Standings:
    """The strategies, the best first, on the questions that can be judged."""

    control: Control
    facts: int
    """Questions that were asked."""
    unknown: int
    """Questions that the model cannot answer with everything sent."""
    guessed: int
    """Questions that it also answers with nothing sent."""
    strategies: tuple[Standing, ...]

    @property
    def judged(self) -> int:
        """Questions that say something about the strategies."""
        return self.facts - self.unknown - self.guessed


def by_arm(answers: Sequence[Answer], arms: Iterable[Arm]) -> list[ArmAnswers]:
    """The answers grouped by arm, in the order they were asked."""
    known = {arm.name: arm for arm in arms}
    return [
        ArmAnswers(
            name,
            known[name].kind if name in known else "plan",
            tuple(answer for answer in answers if answer.arm == name),
            (known[name].settings.provider, known[name].settings.model) if name in known else ("", ""),
        )
        for name in dict.fromkeys(answer.arm for answer in answers)
    ]


def standings(columns: Sequence[ArmAnswers]) -> Standings:
    """How the strategies did on the questions that can be judged.

    Example: of 6 questions the model answers 4 with everything sent, and 1 of those with nothing sent -> judged is 3
    """
    facts = list(dict.fromkeys(answer.fact for column in columns for answer in column.answers))
    full = [column for column in columns if column.kind == "everything" and column.graded]
    empty = [column for column in columns if column.kind == "nothing"]
    known = [fact for fact in facts if any(column.knows(fact) for column in full)]
    guessed = [fact for fact in known if any(column.knows(fact) for column in empty)]
    control: Control = "missing" if not full else "passed" if known else "failed"
    strategies = [_standing(column, full, empty, facts) for column in columns if column.kind == "plan"]
    return Standings(
        control,
        len(facts),
        len(facts) - len(known),
        len(guessed),
        tuple(sorted(strategies, key=lambda each: -each.recalled)),
    )


def _standing(
    column: ArmAnswers, full: Sequence[ArmAnswers], empty: Sequence[ArmAnswers], facts: Sequence[Fact]
) -> Standing:
    """A strategy's standing on the questions that its own model can answer and does not guess."""
    own_full = [control for control in full if control.model == column.model]
    own_empty = [control for control in empty if control.model == column.model]
    judged = [
        fact
        for fact in facts
        if any(control.knows(fact) for control in own_full) and not any(control.knows(fact) for control in own_empty)
    ]
    answers = [answer for fact in judged for answer in column.to(fact)]
    return Standing(column.name, sum(answer.verdict == "recalled" for answer in answers), len(answers))
