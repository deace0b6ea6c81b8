"""Finds tool calls and tool results in a history that lack their partner.

OpenAI and Anthropic accept a call only if all its results stand right behind it, so a call is sent with all its results
or not at all. Both formats are read: OpenAI's `tool_calls` and `tool_call_id` beside the content, and Anthropic's
`tool_use` and `tool_result` parts inside it. An id that comes back in a later exchange is not a fault: many servers
number their calls from 0 each time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lib.messages import Message

STILL_OPEN = 2**62
"""Larger than any history: the call still waits for results."""


class UnpairedRange(NamedTuple):
    """Stored messages start..stop (stop not included), and the tokens of all unpaired messages before them."""

    start: int
    stop: int
    tokens_before: int


class Pairing:
    """The unpaired tool messages of a growing history, added one message at a time.

    Any shorter length of the history can be asked about in O(log n). The lists only grow, so one thread can read the
    history it knows while another adds to it.
    """

    def __init__(self) -> None:
        self._ranges: list[UnpairedRange] = []
        self._tokens = 0  # of all ranges
        self._calls: list[int] = []
        self._closed_at: list[int] = []  # for each call: the length of history from which on it is answered or given up
        self._waiting: set[object] = set()  # ids of the open call that have no result yet
        self._unrequested: list[int] = []  # results for other ids, found while a call is open

    def add(self, position: int, message: Message, sums: Sequence[int]) -> None:
        """Add the message at this position. `sums[i]` is the tokens of the first i messages, this one included."""
        answered = result_ids(message)
        if answered:
            self._add_result(position, answered, sums)
            return
        if self._waiting:
            self._give_up_call(position, sums)
        called = call_ids(message)
        if called:
            self._calls.append(position)
            self._closed_at.append(STILL_OPEN)
            self._waiting = set(called)
            if len(self._waiting) < len(called) or None in self._waiting:
                self._waiting.add(object())  # ids that repeat or are missing: no result can complete this call

    def _add_result(self, position: int, answered: Sequence[str | None], sums: Sequence[int]) -> None:
        requested = len(set(answered)) == len(answered) and self._waiting.issuperset(answered)
        if not requested and self._waiting:
            self._unrequested.append(position)
        elif not requested:
            self._add_range(position, position + 1, sums)
        else:
            self._waiting.difference_update(answered)
            if not self._waiting:
                for result in self._unrequested:
                    self._add_range(result, result + 1, sums)
                self._unrequested = []
                self._closed_at[-1] = position + 1

    def _give_up_call(self, position: int, sums: Sequence[int]) -> None:
        """Another message came before all results did, so the call and the results so far are unpaired."""
        self._add_range(self._calls[-1], position, sums)
        self._waiting, self._unrequested = set(), []
        self._closed_at[-1] = position

    def _add_range(self, start: int, stop: int, sums: Sequence[int]) -> None:
        self._ranges.append(UnpairedRange(start, stop, self._tokens))
        self._tokens += sums[stop] - sums[start]

    def unpaired(self, size: int) -> list[tuple[int, int]]:
        """The unpaired ranges (start, stop) among the first `size` messages, in order. A call that still waits is
        unpaired.

        Example: question, call, user message -> [(1, 2)]
        """
        open_call = self._open_call(size)
        count = bisect_left(self._ranges, (size if open_call is None else open_call,))
        ranges = [(start, stop) for start, stop, _ in self._ranges[:count]]
        return ranges if open_call is None else [*ranges, (open_call, size)]

    def unpaired_tokens(self, size: int, sums: Sequence[int]) -> int:
        """Tokens of the unpaired messages among the first `size` messages."""
        open_call = self._open_call(size)
        count = bisect_left(self._ranges, (size if open_call is None else open_call,))
        last = self._ranges[count - 1] if count else UnpairedRange(0, 0, 0)
        tokens = last.tokens_before + sums[last.stop] - sums[last.start]
        return tokens if open_call is None else tokens + sums[size] - sums[open_call]

    def _open_call(self, size: int) -> int | None:
        """The position of the call that waits for results at the end of the first `size` messages."""
        last = bisect_left(self._calls, size) - 1
        return self._calls[last] if last >= 0 and self._closed_at[last] > size else None


def call_ids(message: Message) -> list[str | None]:
    """The ids of the calls a message makes; None for a call without an id.

    Example: an assistant message with two tool_calls -> ["c1", "c2"]
    """
    if message.role != "assistant":
        return []
    calls = [_id(call, "id") for call in _as_list(message.extra.get("tool_calls"))]
    return calls + [_id(part, "id") for part in _parts(message, "tool_use")]


def result_ids(message: Message) -> list[str | None]:
    """The ids of the calls a message answers; None for a result without an id. Empty if the message holds no result."""
    if message.role == "tool":
        return [_id(message.extra, "tool_call_id")]
    if message.role != "user" or not isinstance(message.content, list):
        return []
    return [_id(part, "tool_use_id") for part in _parts(message, "tool_result")]


def opens_exchange(message: Message) -> bool:
    """Whether an exchange begins here: with any user message except Anthropic's tool results, which have the user's
    role."""
    return message.role == "user" and not result_ids(message)


def _parts(message: Message, kind: str) -> list[object]:
    return [part for part in _as_list(message.content) if isinstance(part, Mapping) and part.get("type") == kind]


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _id(holder: object, name: str) -> str | None:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) and value else None
