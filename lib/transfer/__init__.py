"""Conversations that come in from files of other programs, and that go out as files.

Nothing of a file is stored before all of it was checked. What cannot come in has a reason, with its place in the file.
A file that cannot be used raises ImportRefused; no bytes raise anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.errors import ImportRefused
from lib.history import Recording
from lib.messages import Message

Format = Literal["openai", "anthropic", "chatgpt", "claude", "sharegpt", "open_webui", "librechat", "capsule"]

NAMES: dict[Format, str] = {
    "openai": "OpenAI messages",
    "anthropic": "Anthropic messages",
    "chatgpt": "ChatGPT export",
    "claude": "Claude export",
    "sharegpt": "ShareGPT",
    "open_webui": "Open WebUI export",
    "librechat": "LibreChat export",
    "capsule": "Windowseat capsule",
}
"""What people call each format."""

Effect = Literal["lost", "skipped", "refused"]
EFFECT_TEXT: dict[Effect, str] = {
    "lost": "part lost",
    "skipped": "message left out",
    "refused": "the chat does not come in",
}
"""What a problem means for its message, in words. A refused conversation cannot be imported at all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that cannot come in. `where` is a path or a line; `role` is empty where none is known."""

    where: str
    role: str
    reason: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of a file, ready to be stored.

    `created_at` is seconds since the epoch. `branch` says which branch of the conversation it is; empty for the current
    one. `more_problems` were found beyond those listed. A capsule brings a whole recording.
    """

    title: str
    messages: Sequence[Message]
    created_at: float | None = None
    branch: str = ""
    problems: tuple[Problem, ...] = ()
    more_problems: int = 0
    recording: Recording | None = None

    @property
    def refusal(self) -> str:
        """Why it cannot be imported; empty if it can."""
        return next((f"{each.where}: {each.reason}" for each in self.problems if each.effect == "refused"), "")


def refused(what: str, next_step: str | None = None) -> ImportRefused:
    """The error for a file that cannot be used. `what` is a sentence."""
    return ImportRefused(what, safe="Nothing was stored.", next_step=next_step)
