"""Generates planning problems for property tests: conversations, budgets, pins, mutes, options and counters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from lib.context import Marks, TrimOptions, plan_context
from lib.context.candidates import Candidates, Summary
from lib.context.plan import ContextPlan, ContextWindow
from lib.messages import Message, assistant, user
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from tests.support.cases.conversations import dense, histories, texts
from tests.support.counters import WordCounter
from tests.support.slow_strategies import SlowPlanner

budgets = st.integers(0, 400) | st.just(100_000)
prompts = texts | st.none()


class CostlySystemCounter(WordCounter):
    """A counter whose template is larger with a system message, so that sending less can take more tokens."""

    name = "costly system message"

    def template(self, has_system: bool) -> int:
        return 30 if has_system else 2


COUNTERS: tuple[TokenCounter, ...] = (ESTIMATE, WordCounter(), CostlySystemCounter())
all_options = st.builds(
    TrimOptions, st.integers(-1, 4), st.integers(-1, 5), st.sampled_from([0.0, 0.5, 0.7, 0.9, 2.0, float("nan")])
)
DEFAULT_OPTIONS = TrimOptions()


@dataclass(frozen=True)
class Case:
    """One planning problem. `budget` is in tokens; a `prompt` of None means that nothing is typed yet."""

    history: list[Message]
    budget: int = 100
    prompt: str | None = "new"
    instructions: str = ""
    muted: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    options: TrimOptions = DEFAULT_OPTIONS
    counter: TokenCounter = ESTIMATE

    @property
    def slow(self) -> SlowPlanner:
        prompt = None if self.prompt is None else user(self.prompt)
        return SlowPlanner(self.history, prompt, self.instructions, self.counter, self.muted, self.pinned)

    @property
    def window(self) -> ContextWindow:
        return ContextWindow(self.budget + 50, 50)

    def candidates(self, ledger: TokenLedger | None = None) -> Candidates:
        return Candidates.gather(self.instructions, self.history, self.prompt, ledger or TokenLedger(self.counter))

    def plan(self, strategy: str, summary: Summary | None = None, ledger: TokenLedger | None = None) -> ContextPlan:
        return plan_context(
            self.candidates(ledger), self.window, strategy, Marks.of(self.muted, self.pinned, summary), self.options
        )

    def with_prompt(self) -> Case:
        """The same case with a new message to send."""
        return self if self.prompt is not None else replace(self, prompt="new")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any planning problem. Muted and pinned indexes may name messages that begin no exchange, or none at all."""
    history = draw(histories() | dense)
    indexes = st.sets(st.integers(0, len(history)), max_size=4).map(frozenset)
    return Case(
        history,
        budget=draw(budgets),
        prompt=draw(prompts),
        instructions=draw(texts),
        muted=draw(indexes),
        pinned=draw(indexes),
        options=draw(all_options),
        counter=draw(st.sampled_from(COUNTERS)),
    )


@st.composite
def summaries(draw: st.DrawFn, case: Case) -> Summary | None:
    """Any summary that may be stored, also one that does not belong to the conversation."""
    edges = sorted(draw(st.lists(st.integers(0, len(case.history) + 1), min_size=2, max_size=4)))
    everything, one_range = ((0, len(case.history)),), ((edges[0], edges[1]),)
    two_ranges = ((0, edges[0]), (edges[0], edges[-1]))
    sources = draw(st.sampled_from([everything, one_range, two_ranges, ()]))
    return draw(st.sampled_from([None, Summary("gist " * draw(st.integers(0, 40)), sources, "model-1", 1.5)]))


HISTORY = [message for n in range(10) for message in (user(f"{n}" * 40), assistant("a" * 40))]
CASE = Case(HISTORY, 120, instructions="Be brief.")
"""An exchange has 20 tokens, so the requests of turns 7 and 10 are cut."""
GIST = Summary("They said numbers.", ((0, 12),), "model-1", 5.0)
