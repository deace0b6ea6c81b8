"""Tool calls and their results: which of them stand in a history without their partner.

The rule: a call goes with all its results or not at all, and the results stand right behind it, because that is what
OpenAI and Anthropic accept. Both ways of writing them are read: `tool_calls` and `tool_call_id` beside the content, and
parts of the content (`tool_use`, `tool_result`). It leaves out repairing: a message is never changed, only left out.
Ids that come again in a later exchange are no fault here: many servers count their calls from 0 every time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lib.messages import Message

UNSETTLED = 2**62
"""Larger than any history: where a call still waits for results."""


class Stretch(NamedTuple):
    """Stored messages start..stop (stop not included), and the tokens of all stretches before this one."""

    start: int
    stop: int
    before: int


class Pairing:
    """What is unpaired in a growing history. Fed one message at a time, asked about any beginning of it in O(log n).

    Lists only ever grow, so that one thread can ask about the history it knows while another adds to it.
    """

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []
        self._tokens = 0
        self._calls: list[int] = []
        self._settled: list[int] = []  # for each call: the length of history from which its fate is known
        self._waiting: set[object] = set()
        self._held: list[int] = []  # results nobody asked for, while a call is open

    def add(self, position: int, message: Message, sums: Sequence[int]) -> None:
        """The message at this position; `sums[i]` is the tokens of the first i messages, up to and with this one."""
        answered = result_ids(message)
        if answered:
            self._answer(position, answered, sums)
            return
        if self._waiting:
            self._give_up(position, sums)
        called = call_ids(message)
        if called:
            self._calls.append(position)
            self._settled.append(UNSETTLED)
            self._waiting = set(called)
            if len(self._waiting) < len(called) or None in self._waiting:
                self._waiting.add(object())  # no result can answer these

    def _answer(self, position: int, answered: Sequence[str | None], sums: Sequence[int]) -> None:
        wanted = len(set(answered)) == len(answered) and self._waiting.issuperset(answered)
        if not wanted and self._waiting:
            self._held.append(position)
        elif not wanted:
            self._note(position, position + 1, sums)
        else:
            self._waiting.difference_update(answered)
            if not self._waiting:
                for held in self._held:
                    self._note(held, held + 1, sums)
                self._held = []
                self._settled[-1] = position + 1

    def _give_up(self, position: int, sums: Sequence[int]) -> None:
        """Something else came before all results: the call and what came of them are left out."""
        self._note(self._calls[-1], position, sums)
        self._waiting, self._held = set(), []
        self._settled[-1] = position

    def _note(self, start: int, stop: int, sums: Sequence[int]) -> None:
        self._stretches.append(Stretch(start, stop, self._tokens))
        self._tokens += sums[stop] - sums[start]

    def stretches(self, size: int) -> list[tuple[int, int]]:
        """The unpaired stretches among the first `size` messages, in order. A call that waits at the end is unpaired.

        Example: question, call, user message -> [(1, 2)]
        """
        open_call = self._open(size)
        known = self._stretches[: bisect_left(self._stretches, (size if open_call is None else open_call,))]
        found = [(start, stop) for start, stop, _ in known]
        return found if open_call is None else [*found, (open_call, size)]

    def tokens(self, size: int, sums: Sequence[int]) -> int:
        """Tokens of those stretches."""
        open_call = self._open(size)
        place = bisect_left(self._stretches, (size if open_call is None else open_call,))
        last = self._stretches[place - 1] if place else Stretch(0, 0, 0)
        noted = last.before + sums[last.stop] - sums[last.start]
        return noted if open_call is None else noted + sums[size] - sums[open_call]

    def _open(self, size: int) -> int | None:
        """The call that still waits for results once the history is this long."""
        place = bisect_left(self._calls, size) - 1
        return self._calls[place] if place >= 0 and self._settled[place] > size else None


def call_ids(message: Message) -> list[str | None]:
    """The ids of the calls a message makes; None for one that has none.

    Example: an assistant message with two tool_calls -> ["c1", "c2"]
    """
    if message.role != "assistant":
        return []
    calls = [_id(call, "id") for call in _listed(message.extra.get("tool_calls"))]
    return calls + [_id(part, "id") for part in _parts(message, "tool_use")]


def result_ids(message: Message) -> list[str | None]:
    """The ids of the calls a message answers; None for a result that names none. Empty for every other message."""
    if message.role == "tool":
        return [_id(message.extra, "tool_call_id")]
    if message.role != "user" or not isinstance(message.content, list):
        return []
    return [_id(part, "tool_use_id") for part in _parts(message, "tool_result")]


def opens_exchange(message: Message) -> bool:
    """Whether an exchange begins here: it is the user's, and not a tool's result in the user's name."""
    return message.role == "user" and not result_ids(message)


def _parts(message: Message, kind: str) -> list[object]:
    return [part for part in _listed(message.content) if isinstance(part, Mapping) and part.get("type") == kind]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _id(holder: object, name: str) -> str | None:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) and value else None
