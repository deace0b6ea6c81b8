"""Lessons: something to predict, an experiment that shows what happens, why it does, and the same to try oneself.

A lesson is one file (lib/lessons/reading.py). Its experiment is one or more arms: conversations that are the same but
for one thing. Each arm is a real chat with the model, so whatever the app shows of a chat, it can show of an arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from lib.messages import Message

View = Literal["pairs", "growth", "window"]
"""How a lesson's experiment is shown: the request and the reply of each arm, how the requests grow, or what each
request of the first arm held."""
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question to think about before anything is shown. `right` is the place of the right choice, from 0."""

    question: str
    choices: tuple[str, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Arm:
    """One conversation of an experiment. `window` and `reserve` are tokens.

    `given` are messages that are in the history before the first prompt; nobody has to have said them. `answer` is what
    the last reply must hold if `known`, and must not hold otherwise; without one, any reply will do.
    """

    name: str
    prompts: tuple[str, ...]
    given: tuple[Message, ...]
    system_prompt: str
    window: int
    reserve: int
    strategy: str
    answer: str = ""
    known: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson. `id` is the name of its file without the ending. `minutes` is how long it takes in front of a class."""

    id: str
    title: str
    summary: str
    minutes: int
    view: View
    prediction: Prediction
    arms: tuple[Arm, ...]
    look_at: tuple[str, ...]
    explanation: str
