"""Replays a conversation under other settings, without a model: what would each request have held?

Each turn is planned with the same `plan_context` as a real one, on what was stored at that turn. Nothing is stored or
sent, and the stored replies are kept: what a model would have answered instead is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

from lib.analysis.requests import MessageSizes, PlainRun, RequestRecord, exchanges_of, summary_of
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, Marks
from lib.messages import Message
from lib.tokens import Provenance, TokenCounter
from lib.turns import PlanSummary

TURNS_AHEAD = 100
"""Turns of a projected conversation. One that has more than half of that already gets half of that more."""


def replay(
    history: Sequence[Message], sizes: MessageSizes, settings: ChatSettings, marks: Marks = NO_MARKS
) -> list[RequestRecord]:
    """Every request of this conversation if these settings, pins and mutes had applied from the start.

    The request of a muted exchange is included, because it was sent. The summary in `marks` is not used, because it was
    written later.
    Example: a history of 4 messages with user messages at 0 and 2 -> two records
    """
    preamble = settings.system_prompt if settings.system_prompt.strip() else None
    records = []
    for at, stop in exchanges_of(history):
        whole = RequestRecord(at, range(at + 1, stop), ((0, at + 1, True, "fits"),), preamble)
        records.append(replace(whole, runs=PlanSummary.of(sizes.planned_again(whole, settings, marks)).runs))
    return records


def reusable_tokens(before: RequestRecord, now: RequestRecord, sizes: MessageSizes) -> int:
    """Tokens at the start of a request that equal the previous request, message by message.

    Prompt caches match from the first token on, so this is the most that one can return.
    """
    if before.system_prompt != now.system_prompt:
        return 0
    tokens = sizes.system_prompt(now.system_prompt)
    if summary_of(before) != summary_of(now):
        return tokens
    tokens += sizes.system_prompt(summary_of(now))
    for (start, stop), (other_start, other_stop) in zip(sent_ranges(before), sent_ranges(now), strict=False):
        if start != other_start:
            break
        tokens += sizes.between(start, min(stop, other_stop))
        if stop != other_stop:
            break
    return tokens


def sent_ranges(record: RequestRecord) -> list[tuple[int, int]]:
    """The ranges (start, stop) of stored indexes that a request held, adjacent ones joined."""
    return sent_in(record.runs)


def sent_in(runs: Sequence[PlainRun]) -> list[tuple[int, int]]:
    """The same for the runs of a request."""
    joined: list[tuple[int, int]] = []
    for start, stop, included, _ in runs:
        if not included:
            continue
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


@dataclass(frozen=True, slots=True)
class Projection:
    """A conversation continued at its average size. `history` is `real` stored messages, then projected ones."""

    history: Sequence[Message]
    counter: TokenCounter
    real: int


def project(history: Sequence[Message], sizes: MessageSizes, to_turn: int | None = None) -> Projection:
    """Add exchanges of average size until `to_turn` (by default 100, or 50 more turns if there are more than 50)."""
    exchanges = exchanges_of(history)
    turns = to_turn or (TURNS_AHEAD if len(exchanges) <= TURNS_AHEAD // 2 else len(exchanges) + TURNS_AHEAD // 2)
    if not exchanges:
        return Projection(history, sizes.counter, len(history))
    question = round(mean(sizes.between(at, at + 1) for at, _ in exchanges))
    answer = round(mean(sizes.between(at + 1, stop) for at, stop in exchanges))
    exchange = [Message("user", question), Message("assistant", answer)]
    added = exchange * max(0, turns - len(exchanges))
    return Projection([*history, *added], ProjectedCounter(sizes.counter), len(history))


class ProjectedCounter:
    """Counts projected messages, whose content is their size in tokens, and passes real ones to the real counter."""

    def __init__(self, real: TokenCounter) -> None:
        self._real = real
        self.name = real.name

    @property
    def provenance(self) -> Provenance:
        return self._real.provenance

    def count(self, message: Message) -> int:
        """Tokens of one message."""
        return message.content if isinstance(message.content, int) else self._real.count(message)

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of many messages, in their order. The real counter is called once."""
        real = iter(self._real.count_many([message for message in messages if not isinstance(message.content, int)]))
        return [message.content if isinstance(message.content, int) else next(real) for message in messages]

    def template(self, has_system: bool) -> int:
        """Tokens that the chat template adds, by the real counter."""
        return self._real.template(has_system)
