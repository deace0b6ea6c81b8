"""Notes of one fault: the sentences that were shown, what was acknowledged, what is missing, and what broke."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lib.errors import ChatError

UNEXPECTED = "Something unexpected"
"""How the sentence begins that stands for an exception nobody has translated."""

MESSAGE, PART = "the message", "the part of its reply that had arrived"


@dataclass
class Notes:
    """What happened. `read` is the part of each reply that the person had read; `stored` the messages at the end."""

    doomed: list[str] = field(default_factory=list)
    """Messages that the fault itself deletes on the server, so that nobody can expect them afterwards."""
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    shown: dict[str, bool] = field(default_factory=dict)
    """Each sentence, and whether it was read off a page that app.py drew."""
    lost: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    """What the fault itself deleted on the server."""
    recovery: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Exceptions that are no ChatError, tracebacks in the log, and things that never happened."""
    stored: int = 0
    kept: set[str] = field(default_factory=set)
    """What waited for the person's decision: MESSAGE, PART."""
    grown_mb: float = 0.0

    def show(self, error: ChatError) -> None:
        """A ChatError is shown to the person."""
        sentence = f"{error.what} {error.safe} {error.next_step}".strip()
        self.shown.setdefault(sentence, False)
        if error.what.startswith(UNEXPECTED):
            self.broken.append(error.what)

    def show_drawn(self, sentence: str) -> None:
        """A sentence was read off a page."""
        self.shown[sentence] = True

    def compare(self, stored: Sequence[Mapping[str, Any]], live: Mapping[str, Any] | None) -> None:
        """Note what is missing, twice there, or there although it was refused."""
        prompts = [message["content"] for message in stored if message["role"] == "user"]
        replies = {
            first["content"]: second["content"]
            for first, second in itertools.pairwise(stored)
            if (first["role"], second["role"]) == ("user", "assistant")
        }
        self.stored = len(stored)
        waiting = None if live is None else live["prompt"]
        for prompt in self.accepted:
            times = prompts.count(prompt) + (waiting == prompt)
            if times == 0:
                (self.deleted if prompt in self.doomed else self.lost).append(f"the message “{prompt}”")
            elif times > 1:
                self.lost.append(f"the message “{prompt}” is there {times} times")
            else:
                self._compare_reply(prompt, replies.get(prompt), live)
        self.lost += [f"the refused message “{prompt}” is stored" for prompt in self.refused if prompt in prompts]
        if waiting in self.refused:
            self.lost.append(f"the refused message “{waiting}” waits as an interrupted turn")

    def _compare_reply(self, prompt: str, reply: str | None, live: Mapping[str, Any] | None) -> None:
        """A stored reply holds at least what the person had read, and so does an interrupted one."""
        there = reply if reply is not None else str((live or {}).get("text", ""))
        if not there.startswith(self.read.get(prompt, "")):
            self.lost.append(f"a part of the reply to “{prompt}”")
        elif reply is None:
            self.kept |= {MESSAGE, PART} if there else {MESSAGE}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note tracebacks in the app's log and exceptions that end a thread."""
        handler = _Listener(self.broken)
        hook = threading.excepthook
        log = logging.getLogger("lib")
        log.addHandler(handler)
        threading.excepthook = lambda args: self.broken.append(f"{args.exc_type.__name__} ended a thread")
        try:
            yield
        finally:
            log.removeHandler(handler)
            threading.excepthook = hook


class _Listener(logging.Handler):
    """Keeps errors that are logged."""

    def __init__(self, broken: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._broken = broken

    def emit(self, record: logging.LogRecord) -> None:
        self._broken.append(f"in the log: {record.getMessage()}")
