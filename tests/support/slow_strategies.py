"""A slow, simple version of the strategies, which looks at every message, cut and turn. lib/context must equal it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.context import TrimOptions
from lib.context.candidates import Summary
from lib.context.reasons import Reason
from lib.context.strategies.summarize import SUMMARY_SHARE
from lib.messages import Message, system
from lib.tokens import TokenCounter

Decision = tuple[int | None, bool, Reason]
"""A candidate's stored index, whether it is sent, and why."""


def calls_of(message: Message) -> list[Any]:
    """Ids of the calls in a message, in both formats."""
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
    """Why OpenAI or Anthropic would refuse these messages for their shape; empty if they would not."""
    found = []
    others = [message for message in messages if not message.is_system]
    if not others or others[0].role != "user" or results_of(others[0]):
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
    """Stored indexes of calls that lack a result, of the results they have, and of results without a call."""
    found: set[int] = set()
    at = 0
    while at < len(history):
        calls, stop = calls_of(history[at]), at + 1
        if not calls:
            found |= {at} if results_of(history[at]) else set()
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
        complete = not waiting and len(set(calls)) == len(calls) and all(calls)
        found |= extra if complete else {*range(at, stop)}
        at = stop
    return found


@dataclass
class SlowPlanner:
    """Plans one request. A `prompt` of None means that nothing is typed yet. Sizes are tokens by `counter`."""

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
        self.unpaired = unpaired(self.history)
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
        self.muted_numbers = {stored.index(at) for at in self.muted if at in stored}
        self.pinned_numbers = {stored.index(at) for at in self.pinned if at in stored} - self.muted_numbers
        self.unmuted_numbers = [e for e in range(self.count) if e not in self.muted_numbers]

    def decisions(self, chosen: dict[int, tuple[bool, Reason]]) -> list[Decision]:
        """The decision on every candidate, given a decision on every exchange."""
        return [
            (index, *self._decide(index, message, exchange, chosen))
            for index, message, exchange in zip(self.indexes, self.messages, self.exchange_of, strict=True)
        ]

    def _decide(
        self, index: int | None, message: Message, exchange: int | None, chosen: dict[int, tuple[bool, Reason]]
    ) -> tuple[bool, Reason]:
        if message.is_system:
            return True, "system"
        if exchange in self.muted_numbers:
            return False, "muted"
        decision: tuple[bool, Reason] = (False, "partner_left_out") if exchange is None else chosen[exchange]
        if not self.count:
            decision = True, "fits"
        if exchange in self.pinned_numbers:
            decision = True, "pinned"
        return (False, "partner_left_out") if decision[0] and index in self.unpaired else decision

    def sent(self, cut: int, head: int = 0) -> list[Message]:
        """The request with the first `head` exchanges and those from `cut` on."""
        decisions = self.decisions({e: (e < head or e >= cut, "fits") for e in range(self.count)})
        return [message for message, (_, included, _) in zip(self.messages, decisions, strict=True) if included]

    def size(self, cut: int, head: int = 0) -> int:
        sent = self.sent(cut, head)
        return sum(map(self.counter.count, sent)) + (self.counter.template(sent[0].is_system) if sent else 0)

    def at_turn(self, turn: int) -> SlowPlanner:
        """The request that was sent when this exchange began."""
        at = self.starts[turn]
        muted, pinned = ([index for index in marked if index < at] for marked in (self.muted, self.pinned))
        return SlowPlanner(self.history[:at], self.history[at], self.instructions, self.counter, muted, pinned)

    def cut_at(self, cut: int, budget: int) -> list[Decision]:
        everything_fits = all(e in self.muted_numbers for e in range(cut)) and self.size(cut) <= budget
        sent: tuple[bool, Reason] = (True, "fits" if everything_fits else "recent")
        forced = self.first_cut(0, self.count - 1, budget)
        dropped: tuple[Reason, ...] = ("over_budget", "batch")
        return self.decisions({e: sent if e >= cut else (False, dropped[e >= forced]) for e in range(self.count)})

    def oldest_first(self, budget: int, options: TrimOptions) -> list[Decision]:
        return self.cut_at(self.first_cut(0, self.count - 1, budget), budget)

    def sliding_window(self, budget: int, options: TrimOptions) -> list[Decision]:
        window = self.unmuted_numbers[-options.tail :][0] if self.unmuted_numbers else 0
        cut = self.first_cut(window, self.count - 1, budget)
        if not [e for e in self.unmuted_numbers if e < window]:
            return self.cut_at(cut, budget)
        chosen: dict[int, tuple[bool, Reason]] = dict.fromkeys(range(window), (False, "outside_window"))
        chosen |= dict.fromkeys(range(window, cut), (False, "over_budget"))
        return self.decisions(chosen | dict.fromkeys(range(cut, self.count), (True, "recent")))

    def head_and_tail(self, budget: int, options: TrimOptions) -> list[Decision]:
        newest = self.count - 1
        cut = self.first_cut(0, newest, budget)
        if not [e for e in self.unmuted_numbers if e < cut] or self.count < 2:
            return self.cut_at(cut, budget)
        full_head = min([*self.unmuted_numbers, *[self.count] * (options.head + 1)][options.head], newest)
        head = max([h for h in range(full_head + 1) if self.size(newest, h) <= budget], default=0)
        cut = next((c for c in range(head, newest) if self.size(c, head) <= budget), newest)
        chosen: dict[int, tuple[bool, Reason]] = dict.fromkeys(range(head), (True, "pinned"))
        chosen |= {e: (False, "over_budget" if e < full_head else "middle") for e in range(head, cut)}
        return self.decisions(chosen | dict.fromkeys(range(cut, self.count), (True, "recent")))

    def low_water(self, budget: int, options: TrimOptions) -> list[Decision]:
        return self.cut_at(self.standing_cut(budget, budget, options.low(budget)), budget)

    def standing_cut(self, first: int, later: int, low: int) -> int:
        """The cut of this request, found turn by turn from the start of the conversation."""
        cut = 0
        stored = self.count - (self.prompt is not None)
        for turn in [e for e in range(stored) if e not in self.muted_numbers]:
            cut = self.at_turn(turn).next_cut(cut, first, later, low)
        return self.next_cut(cut, first, later, low)

    def next_cut(self, cut: int, first: int, later: int, low: int) -> int:
        """The cut of this request, given that of the request before."""
        if not self.count or self.size(cut) <= (later if cut else first):
            return cut
        return self.first_cut(min(cut + 1, self.count - 1), self.count - 1, low)

    def summary_cut(self, budget: int, options: TrimOptions) -> int:
        room = int(budget * SUMMARY_SHARE)
        return self.standing_cut(budget, budget - room, options.low(budget) - room)

    def none(self, budget: int, options: TrimOptions) -> list[Decision]:
        planner = SlowPlanner(self.history, self.prompt, self.instructions, self.counter, self.muted, self.pinned)
        planner.unpaired = set()
        decisions = planner.decisions(dict.fromkeys(range(self.count), (True, "fits")))
        return [
            decision if exchange is not None or message.is_system else (decision[0], True, "fits")
            for decision, exchange, message in zip(decisions, self.exchange_of, self.messages, strict=True)
        ]

    def first_cut(self, low: int, high: int, budget: int) -> int:
        """The oldest cut from low to high (high excluded) that fits; high if there is none."""
        return next((cut for cut in range(low, high) if self.size(cut) <= budget), max(high, 0))
