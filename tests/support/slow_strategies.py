"""The strategies written again in a slow and obvious way, as the expected result for lib/context."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.context import TrimOptions
from lib.context.plan import Reason, Summary
from lib.context.strategies.summarize import SUMMARY_SHARE
from lib.messages import Message, system
from lib.tokens import TokenCounter

Fate = tuple[int | None, bool, Reason]


def calls_of(message: Message) -> list[Any]:
    """Ids of the calls in a message, in both ways of writing them."""
    if message.role != "assistant":
        return []
    parts = message.content if isinstance(message.content, list) else []
    return [call["id"] for call in message.extra.get("tool_calls", [])] + [
        part["id"] for part in parts if part["type"] == "tool_use"
    ]


def results_of(message: Message) -> list[Any]:
    """Ids of the calls a message answers."""
    if message.role == "tool":
        return [message.extra.get("tool_call_id")]
    parts = message.content if message.role == "user" and isinstance(message.content, list) else []
    return [part["tool_use_id"] for part in parts if part["type"] == "tool_result"]


def faults(messages: Sequence[Message]) -> list[str]:
    """Why OpenAI or Anthropic would refuse these messages for their shape."""
    found = []
    talk = [message for message in messages if not message.is_system]
    if not talk or talk[0].role != "user" or results_of(talk[0]):
        found.append("the first message is not the user's")
    waiting: list[Any] = []
    for message in messages:
        for answered in results_of(message):
            if answered not in waiting:
                found.append(f"a result of {answered} without its call")
            else:
                waiting.remove(answered)
        if not results_of(message):
            found += [f"no result of {call}" for call in waiting]
            waiting = calls_of(message)
            if len(set(waiting)) < len(waiting) or not all(waiting):
                found.append("calls without an id of their own")
    return found + [f"no result of {call}" for call in waiting]


def unpaired(history: Sequence[Message]) -> set[int]:
    """Stored indexes of calls that lack a result, with what came of them, and of results nobody asked for."""
    bad: set[int] = set()
    at = 0
    while at < len(history):
        calls, stop = calls_of(history[at]), at + 1
        if not calls:
            bad |= {at} if results_of(history[at]) else set()
            at += 1
            continue
        waiting, extra = list(calls), set()
        while stop < len(history) and results_of(history[stop]):
            ids = results_of(history[stop])
            if len(set(ids)) == len(ids) and all(i in waiting for i in ids):
                waiting = [i for i in waiting if i not in ids]
            else:
                extra.add(stop)
            stop += 1
        sound = not waiting and len(set(calls)) == len(calls) and all(calls)
        bad |= extra if sound else {*range(at, stop)}
        at = stop
    return bad


@dataclass
class Slow:
    """One request's candidates. `prompt` None asks what would be sent before anything is typed."""

    history: Sequence[Message]
    prompt: Message | None
    instructions: str
    counter: TokenCounter
    muted: Collection[int] = ()
    pinned: Collection[int] = ()
    summary: Summary | None = None
    exchange_of: list[int | None] = field(init=False)

    def __post_init__(self) -> None:
        preamble = [system(self.instructions)] if self.instructions.strip() else []
        preamble += [self.summary.message] if self.summary is not None else []
        new = [self.prompt] if self.prompt is not None else []
        self.messages = [*preamble, *self.history, *new]
        self.indexes: list[int | None] = [*[None] * len(preamble), *range(len(self.history) + len(new))]
        self.bad = unpaired(self.history)
        self.starts: list[int] = []
        self.exchange_of = []
        for index, message in zip(self.indexes, self.messages, strict=True):
            if index is not None and (
                index == len(self.history) or (message.role == "user" and not results_of(message))
            ):
                self.starts.append(index)
            self.exchange_of.append(len(self.starts) - 1 if self.starts else None)
        self.count = len(self.starts)
        stored = [at for at in self.starts if at < len(self.history)]
        self.mutes = {stored.index(at) for at in self.muted if at in stored}
        self.pins = {stored.index(at) for at in self.pinned if at in stored} - self.mutes
        self.heard = [e for e in range(self.count) if e not in self.mutes]

    def fates(self, chosen: dict[int, tuple[bool, Reason]]) -> list[Fate]:
        """What becomes of every candidate, given what becomes of exchanges."""
        return [
            (index, *self._fate(index, message, exchange, chosen))
            for index, message, exchange in zip(self.indexes, self.messages, self.exchange_of, strict=True)
        ]

    def _fate(
        self, index: int | None, message: Message, exchange: int | None, chosen: dict[int, tuple[bool, Reason]]
    ) -> tuple[bool, Reason]:
        if message.is_system:
            return True, "system"
        if exchange in self.mutes:
            return False, "muted"
        fate: tuple[bool, Reason] = (False, "partner_left_out") if exchange is None else chosen[exchange]
        if not self.count:
            fate = True, "fits"
        if exchange in self.pins:
            fate = True, "pinned"
        return (False, "partner_left_out") if fate[0] and index in self.bad else fate

    def sent(self, cut: int, head: int = 0) -> list[Message]:
        """The request with the first `head` exchanges and those from `cut` on."""
        fates = self.fates({e: (e < head or e >= cut, "fits") for e in range(self.count)})
        return [message for message, (_, included, _) in zip(self.messages, fates, strict=True) if included]

    def size(self, cut: int, head: int = 0) -> int:
        sent = self.sent(cut, head)
        return sum(map(self.counter.count, sent)) + (self.counter.template(sent[0].is_system) if sent else 0)

    def at_turn(self, turn: int) -> Slow:
        """The request that was made when this exchange began."""
        at = self.starts[turn]
        before = [self.muted, self.pinned]
        muted, pinned = ([index for index in indexes if index < at] for indexes in before)
        return Slow(self.history[:at], self.history[at], self.instructions, self.counter, muted, pinned)

    def cut_at(self, cut: int, budget: int) -> list[Fate]:
        whole = all(e in self.mutes for e in range(cut)) and self.size(cut) <= budget
        return self.fates(
            {
                e: (True, "fits" if whole else "recent") if e >= cut else (False, "over_budget")
                for e in range(self.count)
            }
        )

    def oldest_first(self, budget: int, options: TrimOptions) -> list[Fate]:
        return self.cut_at(self._first_cut(0, self.count - 1, budget), budget)

    def sliding_window(self, budget: int, options: TrimOptions) -> list[Fate]:
        window = self.heard[-options.tail :][0] if self.heard else 0
        cut = self._first_cut(window, self.count - 1, budget)
        if not [e for e in self.heard if e < window]:
            return self.cut_at(cut, budget)
        reasons: dict[int, tuple[bool, Reason]] = dict.fromkeys(range(window), (False, "outside_window"))
        reasons |= dict.fromkeys(range(window, cut), (False, "over_budget"))
        return self.fates(reasons | dict.fromkeys(range(cut, self.count), (True, "recent")))

    def head_and_tail(self, budget: int, options: TrimOptions) -> list[Fate]:
        newest = self.count - 1
        cut = self._first_cut(0, newest, budget)
        if not [e for e in self.heard if e < cut] or self.count < 2:
            return self.cut_at(cut, budget)
        wanted = min([*self.heard, *[self.count] * (options.head + 1)][options.head], newest)
        head = max([h for h in range(wanted + 1) if self.size(newest, h) <= budget], default=0)
        cut = next((c for c in range(head, newest) if self.size(c, head) <= budget), newest)
        reasons: dict[int, tuple[bool, Reason]] = dict.fromkeys(range(head), (True, "pinned"))
        reasons |= {e: (False, "over_budget" if e < wanted else "middle") for e in range(head, cut)}
        return self.fates(reasons | dict.fromkeys(range(cut, self.count), (True, "recent")))

    def low_water(self, budget: int, options: TrimOptions) -> list[Fate]:
        return self.cut_at(self.standing_cut(budget, budget, options.low(budget)), budget)

    def standing_cut(self, first: int, later: int, low: int) -> int:
        """Turn by turn, from the start of the conversation."""
        cut = 0
        stored = self.count - (self.prompt is not None)
        for turn in [e for e in range(stored) if e not in self.mutes]:
            cut = self.at_turn(turn).next_cut(cut, first, later, low)
        return self.next_cut(cut, first, later, low)

    def next_cut(self, cut: int, first: int, later: int, low: int) -> int:
        """The cut of this request, given the one that stood."""
        if not self.count or self.size(cut) <= (later if cut else first):
            return cut
        return self._first_cut(min(cut + 1, self.count - 1), self.count - 1, low)

    def summary_cut(self, budget: int, options: TrimOptions) -> int:
        room = int(budget * SUMMARY_SHARE)
        return self.standing_cut(budget, budget - room, options.low(budget) - room)

    def none(self, budget: int, options: TrimOptions) -> list[Fate]:
        plain = Slow(self.history, self.prompt, self.instructions, self.counter, self.muted, self.pinned)
        plain.bad = set()
        fates = plain.fates(dict.fromkeys(range(self.count), (True, "fits")))
        return [
            fate if exchange is not None or message.is_system else (fate[0], True, "fits")
            for fate, exchange, message in zip(fates, self.exchange_of, self.messages, strict=True)
        ]

    def _first_cut(self, low: int, high: int, budget: int) -> int:
        return next((cut for cut in range(low, high) if self.size(cut) <= budget), max(high, 0))
