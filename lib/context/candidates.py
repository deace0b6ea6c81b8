"""Everything one request could hold: the system prompt, a summary, the stored history and the new message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib import outside_values
from lib.messages import Message, system, user
from lib.tokens import TokenCounter
from lib.tokens.ledger import RunningTotals, TokenLedger

SUMMARY_HEADING = "Summary of the earlier conversation:"


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
        """Read a stored summary. Raises KeyError, TypeError or ValueError if it is not one."""
        ranges = [[outside_values.count(edge) for edge in (start, stop)] for start, stop in stored["sources"]]
        sources = tuple((start, stop) for start, stop in ranges if start is not None and stop is not None)
        text = outside_values.text(stored["text"])
        if text is None or len(sources) < len(ranges) or any(start > stop for start, stop in sources):
            raise ValueError("not a summary")
        made_at = outside_values.number(stored.get("made_at", 0.0))
        return cls(text, sources, outside_values.word(stored.get("made_by")) or "", made_at or 0.0)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Everything one request could hold, in order: system prompt, summary, stored history, new message.

    A position counts from the first candidate. The stored index of a candidate is `position - preamble`, where
    `preamble` counts the system prompt and the summary, which are not stored messages.
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
