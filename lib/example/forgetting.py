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
from lib.turns import Turn

PREFIX = "forgetting-"
"""How the id of a demonstration begins."""
FACT, SECRET = "The door code is 7421", "7421"
QUESTION = "What is the door code?"
OPENING = (f"Repeat after me: {FACT}.", QUESTION)
"""A small model keeps what it has repeated. Its replies to these two are dropped together with them."""
FILLERS = (
    "What is the capital of France?",
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
    reserve = RESERVE if own.provider == "local" else own.reserved_for_reply
    return replace(
        own,
        system_prompt="You are a helpful assistant.",
        max_tokens=BUDGET + reserve,
        reserved_for_reply=reserve,
        strategy="oldest_first",
    )


def progress(history: Sequence[Message], turns: Sequence[Turn]) -> Progress:
    """Where a demonstration with these stored messages and turns stands."""
    dropped_at = next((turn.number for turn in turns[1:] if not _was_sent_the_fact(turn, history)), None)
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
        for index in _left_out(turn, history):
            if SECRET in history[index].text:
                found.setdefault(index, turn.number)
    return found


def _was_sent_the_fact(turn: Turn, history: Sequence[Message]) -> bool:
    """Whether one of the messages that a turn sent holds the fact. True where what it sent is not known."""
    if turn.plan is None:
        return True
    gone = set(_left_out(turn, history))
    stored = range(min(turn.plan.stored, len(history)))
    return SECRET in turn.prompt or any(SECRET in history[index].text for index in stored if index not in gone)


def _left_out(turn: Turn, history: Sequence[Message]) -> list[int]:
    """Stored indexes of the messages that a turn did not send."""
    runs = turn.plan.runs if turn.plan is not None else ()
    return [at for start, stop, included, _ in runs if not included for at in range(start, min(stop, len(history)))]
