"""The plan of one request: which messages it holds, and why.

Every candidate message has exactly one reason, whether it is sent or not, and together the candidates are the whole
conversation. A plan is a view and never changes the history. It is kept as runs of messages that share a reason, so
that planning over 10,000 messages costs no more than over ten; `items` spells the runs out for drawing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from lib.context.candidates import Candidates
from lib.context.reasons import Reason
from lib.messages import Message
from lib.tokens import Provenance


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """How much a model can hold at once, in tokens: the request plus the reply."""

    max_tokens: int
    reserved_for_reply: int

    @property
    def input_budget(self) -> int:
        """Tokens left for the request after reserving the reply's. Never below 0."""
        return max(0, self.max_tokens - self.reserved_for_reply)


FallbackKind = Literal["no_summary", "summary_incomplete", "summary_unusable", "summary_too_large", "summary_failed"]


@dataclass(frozen=True, slots=True)
class Fallback:
    """Why a plan differs from what its strategy promises. `text` is a sentence for people."""

    kind: FallbackKind
    text: str

    @property
    def is_summarized_first(self) -> bool:
        """Whether sending will write the missing summary first, in a request of its own."""
        return self.kind in ("no_summary", "summary_incomplete")


class Run(NamedTuple):
    """Candidates start to stop (stop excluded) that share one reason, and whether they are sent."""

    start: int
    stop: int
    included: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One candidate, and whether it is sent and why. `index` is None for the system prompt and the summary."""

    index: int | None
    message: Message
    tokens: int
    included: bool
    reason: Reason


@dataclass(frozen=True)
class ContextPlan:
    """What one request will hold. `runs` cover every candidate once, in order. Sizes are tokens by `counter`."""

    candidates: Candidates
    runs: tuple[Run, ...]
    window: ContextWindow
    strategy: str
    fallback: Fallback | None = None
    """Why the plan differs from what the strategy promises; None if it does not."""
    pinned: frozenset[int] = frozenset()
    """Stored indexes of the user messages that the person pinned. A strategy may pin more by itself."""
    batch_target: int | None = None
    """Tokens down to which the strategy drops once the budget is exceeded; None if it drops no more than it must."""

    @property
    def counter(self) -> str:
        return self.candidates.counter.name

    @property
    def provenance(self) -> Provenance:
        return self.candidates.counter.provenance

    @cached_property
    def input_tokens(self) -> int:
        """Tokens of everything included, plus what the chat template adds."""
        return self.template_tokens + sum(self.candidates.between(r.start, r.stop) for r in self.runs if r.included)

    @cached_property
    def template_tokens(self) -> int:
        """Tokens beyond the messages themselves: the reply's opening, or a system block that the template adds."""
        first = next((run.start for run in self.runs if run.included), None)
        return 0 if first is None else self.candidates.template(first)

    @property
    def left_out_tokens(self) -> int:
        return sum(self.candidates.between(r.start, r.stop) for r in self.runs if not r.included)

    @property
    def fits(self) -> bool:
        """Whether the request and the tokens reserved for the reply fit the window. If not, the person is asked."""
        return self.input_tokens <= self.window.input_budget

    @property
    def included(self) -> list[Message]:
        """The messages to send, in order."""
        return [self.candidates[at] for run in self.runs if run.included for at in range(run.start, run.stop)]

    @property
    def included_count(self) -> int:
        return sum(run.stop - run.start for run in self.runs if run.included)

    @property
    def left_out_count(self) -> int:
        return len(self.candidates) - self.included_count

    @property
    def batch_count(self) -> int:
        """How many of the messages left out would fit, and are dropped only because the strategy drops in batches."""
        return sum(run.stop - run.start for run in self.runs if run.reason == "batch")

    @property
    def items(self) -> Iterator[PlannedMessage]:
        """Every candidate, in order. O(candidates), so only for drawing."""
        preamble = self.candidates.preamble
        for run in self.runs:
            for at in range(run.start, run.stop):
                index = at - preamble if at >= preamble else None
                tokens = self.candidates.between(at, at + 1)
                yield PlannedMessage(index, self.candidates[at], tokens, run.included, run.reason)

    @property
    def left_out(self) -> list[PlannedMessage]:
        return [item for item in self.items if not item.included]
