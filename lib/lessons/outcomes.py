"""What came of a lesson's experiment: for each arm its messages and turns, as any other chat has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import ChatError
from lib.lab.answer_match import contains
from lib.lessons import Arm
from lib.messages import Message
from lib.turns import LiveTurn, Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """An arm so far. `messages` are those given with the arm, then the prompts and replies.

    `live` is the turn that is being answered; `error` is why the arm did not go on.
    """

    arm: Arm
    messages: tuple[Message, ...]
    turns: tuple[Turn, ...]
    live: LiveTurn | None = None
    error: ChatError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every prompt was answered."""
        return len(self.turns) == len(self.arm.prompts)

    @property
    def knew(self) -> bool | None:
        """Whether the last reply holds the arm's answer; None before it came, and for an arm without one."""
        if not self.is_complete or not self.arm.answer:
            return None
        return contains(self.turns[-1].reply, self.arm.answer)

    @property
    def as_expected(self) -> bool | None:
        """Whether the model knew exactly where the lesson says it would; None before the last reply. Where there is no
        answer to know, any replies will do."""
        if not self.is_complete:
            return None
        return not self.arm.answer or self.knew is self.arm.known


def as_expected(outcomes: Sequence[Outcome]) -> bool | None:
    """Whether every arm came out as the lesson says. None as long as one is not complete."""
    found = [each.as_expected for each in outcomes]
    return None if not found or None in found else all(found)
