"""Keeps what came of a lesson's experiment as a file, so that the lesson can be given without a model.

A recording is of a model that really ran. It belongs to exactly these arms: once a lesson's file says something else,
its old recording is not shown any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lib.lessons import Arm, Lesson
from lib.lessons.library import SHIPPED
from lib.lessons.outcomes import Outcome
from lib.messages import Message
from lib.stored_turns import read_turn

FOLDER = SHIPPED / "recordings"


@dataclass(frozen=True, slots=True)
class Recorded:
    """An experiment that was recorded. `day` is when, as YYYY-MM-DD.

    `as_expected` of `runs` came out as the lesson says, with this model on that day; the one recorded is the first of
    those.
    """

    model: str
    day: str
    runs: int
    as_expected: int
    outcomes: tuple[Outcome, ...]


def fingerprint(arms: Sequence[Arm]) -> str:
    """The SHA-256 of everything that a model is asked in these arms."""
    asked = [asdict(arm) | {"given": [message.to_dict() for message in arm.given]} for arm in arms]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def to_json(lesson: Lesson, recorded: Recorded) -> str:
    """A recording as the text of its file."""
    stored = {
        "model": recorded.model,
        "day": recorded.day,
        "runs": recorded.runs,
        "as_expected": recorded.as_expected,
        "arms_sha256": fingerprint(lesson.arms),
        "arms": [
            {
                "messages": [message.to_dict() for message in each.messages],
                "turns": [turn.to_dict() for turn in each.turns],
            }
            for each in recorded.outcomes
        ],
    }
    return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


def recorded_of(lesson: Lesson, folder: Path = FOLDER) -> Recorded | None:
    """The recording of this lesson; None if there is none, or if it is of other arms."""
    try:
        stored = json.loads((folder / f"{lesson.id}.json").read_text(encoding="utf-8"))
        if stored["arms_sha256"] != fingerprint(lesson.arms):
            return None
        outcomes = tuple(map(_outcome, lesson.arms, stored["arms"]))
        return Recorded(
            str(stored["model"]), str(stored["day"]), int(stored["runs"]), int(stored["as_expected"]), outcomes
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _outcome(arm: Arm, stored: dict[str, Any]) -> Outcome:
    messages = tuple(Message.from_dict(message) for message in stored["messages"])
    return Outcome(arm, messages, tuple(read_turn(turn, number) for number, turn in enumerate(stored["turns"], 1)))
