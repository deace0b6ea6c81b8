"""Planning on a known history costs the same at message 1,000 and at message 100,000, counted in elements read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lib.context import STRATEGIES, Marks, plan_context
from lib.context.plan import Candidates, ContextPlan, ContextWindow, Summary
from lib.messages import Message, assistant, system, user
from lib.tokens.ledger import RunningTotals, TokenLedger
from tests.support.conversations import result
from tests.support.counters import Counting
from tests.support.planning_cases import Case

WINDOW = ContextWindow(2050, 50)
LISTS = ("sums", "user_positions", "system_positions", "system_sums", "optional_before", "system_before")


class Looked(Sequence[Any]):
    """A sequence that counts how many of its elements were looked at."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values, self.looks = values, 0

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, place: Any) -> Any:
        self.looks += len(self.values[place]) if isinstance(place, slice) else 1
        return self.values[place]


class Watched:
    """A history whose every reading is counted, and its totals too."""

    def __init__(self, size: int, marks: int) -> None:
        """Half of the marks are system messages, the other half results that no tool was asked for."""
        messages = [said for n in range(size // 2) for said in (user(f"q{n}"), assistant("a" * 40))]
        for n in range(marks):
            messages[2 * n + 1] = system("s") if n % 2 else result("nobody's")
        self.counter = Counting()
        self.ledger = TokenLedger(self.counter)
        self.history = Looked(messages)
        totals = self.ledger.sync(self.history)
        self.lists = {name: Looked(getattr(totals, name)) for name in LISTS}
        self.totals: RunningTotals = replace(totals, **self.lists)  # type: ignore[arg-type]  # sequences that are only read
        self.chosen = {4 * n for n in range(marks)}, {4 * n + 2 for n in range(marks)}

    def plan(self, strategy: str) -> tuple[ContextPlan, int]:
        """A plan, and how many elements of anything were looked at for it."""
        before = self.looks
        candidates = replace(Candidates.gather("sys", self.history, "new", self.ledger), totals=self.totals)
        gist = Summary("gist", ((0, 40),))
        made = plan_context(candidates, WINDOW, strategy, Marks.of(*self.chosen, gist))
        assert made.fits == (made.input_tokens <= 2000)
        return made, self.looks - before

    @property
    def looks(self) -> int:
        return self.history.looks + sum(values.looks for values in self.lists.values())


@pytest.mark.parametrize("marks", [0, 20])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_deciding_costs_the_same_at_1000_and_at_100000_messages(strategy: str, marks: int) -> None:
    costs = {}
    for size in (1000, 100_000):
        watched = Watched(size, marks)
        watched.plan(strategy)  # known from here on
        counted = watched.counter.calls
        made, looks = watched.plan(strategy)
        costs[size] = (len(made.runs), watched.counter.calls - counted, looks)
    small, large = costs[1000], costs[100_000]
    assert abs(large[0] - small[0]) <= 4  # some marks are in what is left out, and join there
    assert large[1] == small[1] <= 3  # the system prompt, the new message, a summary: nothing that is stored
    # a bisection looks at a handful more places in a hundredfold history
    assert large[2] <= small[2] + 400, costs


@pytest.mark.parametrize("strategy", ["low_water", "summarize"])
def test_one_more_exchange_costs_the_same_however_long_the_conversation_is(strategy: str) -> None:
    watched = Watched(100_000, 0)
    watched.plan(strategy)
    most = 0
    for n in range(40):
        watched.history.values += [user(f"more {n}"), assistant("a" * 40)]  # type: ignore[operator]  # a list here
        watched.ledger.sync(watched.history.values)
        most = max(most, watched.plan(strategy)[1])
    assert most < 600


def test_thousands_of_marks_are_planned_at_once() -> None:
    history: list[Message] = [
        said for _ in range(10_000) for said in (user("q" * 8), system("s"), result("c9"), assistant("a" * 40))
    ]
    case = Case(history, 11_000, muted=frozenset(range(0, 40_000, 8)))
    made = case.plan("oldest_first")
    newest = (11_000 - 10_000 - 1) // 12  # what system messages and the new message leave, in exchanges that are sent
    assert (made.fits, made.included_count) == (True, 10_000 + 2 * newest + 1)
    assert replace(case, pinned=frozenset(range(4, 400, 8))).plan("low_water").fits
