"""The values of planning: what a request could hold (Candidates) and what it will hold (ContextPlan).

Every candidate message has exactly one reason, whether it is sent or not, and together the candidates are the whole
conversation. A plan is a view and never changes the history. It is kept as runs of messages that share a reason, so
that planning over 10,000 messages costs no more than over ten; `items` spells the runs out for drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from lib.messages import Message, system, user
from lib.tokens import Provenance, TokenCounter
from lib.tokens.ledger import RunningTotals, TokenLedger

Reason = Literal[
    "system",
    "pinned",
    "recent",
    "fits",
    "over_budget",
    "outside_window",
    "middle",
    "summarized",
    "muted",
    "partner_left_out",
]

REASON_TEXT: dict[Reason, str] = {
    "system": "Sent: instructions to the model always go along, and so does a summary.",
    "pinned": "Sent: it is pinned, by you or by the strategy, so it goes along whatever else is dropped.",
    "recent": "Sent: it belongs to the newest part of the conversation that fits.",
    "fits": "Sent: everything fits.",
    "over_budget": "Dropped: with it, the request would exceed the token budget.",
    "outside_window": "Dropped: it is older than the last exchanges this strategy sends.",
    "middle": "Dropped: this strategy keeps the first and the newest exchanges, and this one is in between.",
    "summarized": "Dropped: a summary is sent in its place.",
    "muted": "Not sent: it was muted or replaced. It stays stored.",
    "partner_left_out": (
        "Dropped: its question, tool call or tool result is not sent, and providers refuse one without the other."
    ),
}

SUMMARY_HEADING = "Summary of the earlier conversation:"


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """How much a model can hold at once, in tokens: the request plus the reply."""

    max_tokens: int
    reserved_for_reply: int

    @property
    def input_budget(self) -> int:
        """Tokens left for the request after reserving the reply's. Never below 0."""
        return max(0, self.max_tokens - self.reserved_for_reply)


@dataclass(frozen=True, slots=True)
class Summary:
    """Stands in for older exchanges. `sources` are the ranges of stored indexes it was made from, in order.

    It is sent as a system message right after the session's system prompt. So the conversation still starts with a user
    message, roles still alternate, and where all instructions go to the top (Anthropic) the summary goes with them.
    Example: Summary("They plan a trip.", ((0, 8),), "model-1") stands for the stored messages 0 to 7
    """

    text: str
    sources: tuple[tuple[int, int], ...]
    made_by: str = ""
    """The model that wrote it, for people."""
    made_at: float = 0.0
    """Seconds since the epoch."""

    @property
    def message(self) -> Message:
        """As it is sent."""
        return system(f"{SUMMARY_HEADING}\n\n{self.text}")

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Summary:
        """Read a stored summary. Raises KeyError or TypeError if it is not one."""
        sources = tuple((int(start), int(stop)) for start, stop in stored["sources"])
        return cls(stored["text"], sources, stored.get("made_by", ""), stored.get("made_at", 0.0))


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
class Candidates:
    """Everything one request could hold, in order: system prompt, summary, stored history, new message.

    A position counts from the first candidate. The stored index of a candidate is `position - preamble`, where `preamble`
    counts the system prompt and the summary, which are not stored messages.
    """

    system_prompt: Message | None
    history: Sequence[Message]
    prompt: Message | None
    totals: RunningTotals
    counter: TokenCounter
    system_tokens: int
    """Size of the system prompt, 0 without one. Kept because planning asks for it many times."""
    prompt_tokens: int
    """Size of the new message, 0 without one."""
    summary: Summary | None = None
    summary_tokens: int = 0
    """Size of the summary's message, 0 without one."""

    @classmethod
    def gather(
        cls, system_prompt: str, history: Sequence[Message], prompt: str | None, ledger: TokenLedger
    ) -> Candidates:
        """The candidates of the next request. A `prompt` of None means no new message."""
        preamble = system(system_prompt) if system_prompt.strip() else None
        new = None if prompt is None else user(prompt)
        counter = ledger.counter
        around = iter(counter.count_many([message for message in (preamble, new) if message is not None]))
        preamble_tokens, new_tokens = (0 if message is None else next(around) for message in (preamble, new))
        return cls(preamble, history, new, ledger.sync(history), counter, preamble_tokens, new_tokens)

    def with_summary(self, summary: Summary) -> Candidates:
        """A copy with this summary after the system prompt. Counts it."""
        return replace(self, summary=summary, summary_tokens=self.counter.count(summary.message))

    @property
    def preamble(self) -> int:
        return (self.system_prompt is not None) + (self.summary is not None)

    @property
    def preamble_tokens(self) -> int:
        """Tokens of the system prompt and the summary."""
        return self.system_tokens + self.summary_tokens

    def __len__(self) -> int:
        return self.preamble + len(self.history) + (self.prompt is not None)

    def __getitem__(self, position: int) -> Message:
        if position < self.preamble:
            if self.system_prompt is not None and position == 0:
                return self.system_prompt
            assert self.summary is not None
            return self.summary.message
        stored = position - self.preamble
        if stored < len(self.history):
            return self.history[stored]
        assert self.prompt is not None
        return self.prompt

    def upto(self, position: int) -> int:
        """Tokens of the candidates before this position. O(1)."""
        if position <= self.preamble:
            return 0 if position <= 0 else self.preamble_tokens if position == self.preamble else self.system_tokens
        stored = min(position - self.preamble, len(self.history))
        past_history = position - self.preamble - len(self.history)
        return self.preamble_tokens + self.totals.sums[stored] + (self.prompt_tokens if past_history > 0 else 0)

    def template(self, first: int = 0) -> int:
        """Tokens a request has beyond its messages if it starts at this position."""
        return self.counter.template(self[first].is_system) if first < len(self) else 0

    def between(self, start: int, stop: int) -> int:
        """Tokens of the candidates from start to stop (stop excluded)."""
        return self.upto(stop) - self.upto(start)


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
