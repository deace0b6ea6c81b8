"""The demonstration "Watch it forget": what is said in it, and how far it has come.

It tells the model a fact and asks for it; then it talks of other things until no message with the fact is sent any
more, and asks again. What comes next follows from the stored turns, so a demonstration can be paused, reopened and
continued. Its sessions are known by their ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib.chat_settings import ChatSettings
from lib.messages import Message
from lib.turns import PlanSummary, Turn

PREFIX = "forgetting-"
"""How the id of a demonstration begins."""
FACT, SECRET = "The door code is 7421", "7421"
QUESTION = "What is the door code?"
OPENING = (f"Repeat after me: {FACT}.", QUESTION)
"""A small model keeps what it has repeated. Its replies to these two are dropped together with them."""
FILLERS = (
    "What is the capital of Japan?",
    "Name three colours.",
    "Write one sentence about the sea.",
    "What do bees make?",
    "Write one sentence about bread.",
    "How many days are in a week?",
    "Write one sentence about the moon.",
    "What is the opposite of hot?",
    "Write one sentence about trains.",
    "Name three animals.",
)
"""Questions whose answers have nothing to do with a code. Five of them are enough for the embedded model."""
BUDGET, RESERVE = 152, 48
"""Tokens: what a request may hold, and what the embedded model may reply. Others get what they reserve."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a demonstration has come.

    `next_prompt` is None at its end, and when something else was said. `dropped_at` is the first turn that was sent no
    message with the fact; `knew` and `asked_again` are the turns that asked for it before and after that.
    """

    next_prompt: str | None
    dropped_at: int | None = None
    knew: Turn | None = None
    asked_again: Turn | None = None


def new_id() -> str:
    """The id of a new demonstration."""
    return f"{PREFIX}{uuid.uuid4()}"


def is_demonstration(session_id: str) -> bool:
    """Whether this session was begun by the button."""
    return session_id.startswith(PREFIX)


def settings_for(own: ChatSettings) -> ChatSettings:
    """A person's model with a small window from which the oldest exchanges are dropped one by one."""
    reserve = RESERVE if own.provider == "local" else own.reply_tokens
    return replace(
        own.in_window(BUDGET + reserve, reserve), system_prompt="You are a helpful assistant.", strategy="oldest_first"
    )


def progress(history: Sequence[Message], turns: Sequence[Turn], now: PlanSummary | None = None) -> Progress:
    """Where a demonstration with these stored messages and turns stands. `now` is the plan of the turn that is being
    answered, if there is one."""
    plans = [(turn.number, turn.plan) for turn in turns] + ([] if now is None else [(len(turns) + 1, now)])
    dropped_at = next((number for number, plan in plans[1:] if not _sends_the_fact(plan, history)), None)
    knew = next((turn for turn in turns[1:2] if turn.prompt == QUESTION and SECRET in turn.reply), None)
    said, script = tuple(turn.prompt for turn in turns), (*OPENING, *FILLERS)
    if said == script[: len(said)]:
        rest = script[len(said) :]
        return Progress(QUESTION if dropped_at is not None else rest[0] if rest else None, dropped_at, knew)
    asked = next(
        (turn for turn in turns if turn.prompt == QUESTION and turn.number > (dropped_at or turn.number)), None
    )
    return Progress(None, dropped_at, knew, asked)


def dropped_from(history: Sequence[Message], turns: Sequence[Turn]) -> dict[int, int]:
    """Stored indexes of the messages with the fact, and the number of the first turn that was not sent each."""
    found: dict[int, int] = {}
    for turn in turns:
        for index in _left_out(turn.plan, history):
            if SECRET in history[index].text:
                found.setdefault(index, turn.number)
    return found


def _sends_the_fact(plan: PlanSummary | None, history: Sequence[Message]) -> bool:
    """Whether one of the stored messages that a plan sends holds the fact. True where there is no plan."""
    if plan is None:
        return True
    gone = set(_left_out(plan, history))
    stored = range(min(plan.stored, len(history)))
    return any(SECRET in history[index].text for index in stored if index not in gone)


def _left_out(plan: PlanSummary | None, history: Sequence[Message]) -> list[int]:
    """Stored indexes of the messages that a plan does not send."""
    runs = plan.runs if plan is not None else ()
    return [at for start, stop, included, _ in runs if not included for at in range(start, min(stop, len(history)))]
