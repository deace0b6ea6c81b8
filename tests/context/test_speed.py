"""Planning a known history costs the same at 1,000 and at 100,000 messages, counted in elements that are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lib.context import STRATEGIES, Marks, plan_context
from lib.context.candidates import Candidates, Summary
from lib.context.plan import ContextPlan, ContextWindow
from lib.messages import Message, assistant, system, user
from lib.tokens.ledger import RunningTotals, TokenLedger
from tests.support.cases.conversations import result
from tests.support.cases.planning_cases import Case
from tests.support.counters import Counting

WINDOW = ContextWindow(2050, 50)
LISTS = ("sums", "user_positions", "system_positions", "system_sums", "optional_before", "system_before")


class CountingSequence(Sequence[Any]):
    """A sequence that counts how many of its elements were read."""

    def __init__(self, values: list[Any]) -> None:
        self.values, self.reads = values, 0

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, place: Any) -> Any:
        self.reads += len(self.values[place]) if isinstance(place, slice) else 1
        return self.values[place]


class WatchedHistory:
    """A history and its totals, with a count of every element that is read."""

    def __init__(self, size: int, marks: int) -> None:
        """Makes `marks` replies system messages or results without a call, and pins and mutes as many exchanges."""
        messages = [message for n in range(size // 2) for message in (user(f"q{n}"), assistant("a" * 40))]
        for n in range(marks):
            messages[2 * n + 1] = system("s") if n % 2 else result("nobody's")
        self.counter = Counting()
        self.ledger = TokenLedger(self.counter)
        self.history = CountingSequence(messages)
        totals = self.ledger.sync(self.history)
        self.lists = {name: CountingSequence(getattr(totals, name)) for name in LISTS}
        self.totals: RunningTotals = replace(totals, **self.lists)  # type: ignore[arg-type]  # they are only read
        self.marked = {4 * n for n in range(marks)}, {4 * n + 2 for n in range(marks)}

    def plan(self, strategy: str) -> tuple[ContextPlan, int]:
        """A plan, and how many elements were read for it."""
        before = self.reads
        candidates = replace(Candidates.gather("sys", self.history, "new", self.ledger), totals=self.totals)
        gist = Summary("gist", ((0, 40),))
        plan = plan_context(candidates, WINDOW, strategy, Marks.of(*self.marked, gist))
        assert plan.fits == (plan.input_tokens <= 2000)
        return plan, self.reads - before

    @property
    def reads(self) -> int:
        return self.history.reads + sum(values.reads for values in self.lists.values())


@pytest.mark.parametrize("marks", [0, 20])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_planning_costs_the_same_at_1000_and_at_100000_messages(strategy: str, marks: int) -> None:
    costs = {}
    for size in (1000, 100_000):
        watched = WatchedHistory(size, marks)
        watched.plan(strategy)  # from here on, the history is known
        counted = watched.counter.calls
        plan, reads = watched.plan(strategy)
        costs[size] = (len(plan.runs), watched.counter.calls - counted, reads)
    small, large = costs[1000], costs[100_000]
    assert abs(large[0] - small[0]) <= 4  # a marked exchange among those left out may join their run
    assert large[1] == small[1] <= 3  # the system prompt, the new message and a summary, but no stored message
    assert large[2] <= small[2] + 400, costs  # a bisection reads a few more elements in a history 100 times as long


@pytest.mark.parametrize("strategy", ["low_water", "summarize"])
def test_one_more_exchange_costs_the_same_however_long_the_conversation_is(strategy: str) -> None:
    watched = WatchedHistory(100_000, 0)
    watched.plan(strategy)
    most = 0
    for n in range(40):
        watched.history.values += [user(f"more {n}"), assistant("a" * 40)]
        watched.ledger.sync(watched.history.values)
        most = max(most, watched.plan(strategy)[1])
    assert most < 600


def test_a_history_with_thousands_of_marks_is_planned() -> None:
    exchange: list[Message] = [user("q" * 8), system("s"), result("c9"), assistant("a" * 40)]
    case = Case(exchange * 10_000, 11_000, muted=frozenset(range(0, 40_000, 8)))
    plan = case.plan("oldest_first")
    newest = (11_000 - 10_000 - 1) // 12  # exchanges that fit beside the system messages and the new message
    assert (plan.fits, plan.included_count) == (True, 10_000 + 2 * newest + 1)
    assert replace(case, pinned=frozenset(range(4, 400, 8))).plan("low_water").fits
