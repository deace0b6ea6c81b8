"""A conversation under other settings: what every request would have held, with no model call.

The rule: replaying decides with the same `plan_context` as sending does, turn by turn, on what was stored at that turn;
nothing is stored and nobody is asked. Sizes are tokens of one counter.
It leaves out money (lib/analysis/bills.py) and answers: what a model would have said instead is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lib.analysis.requests import MessageSizes, RequestRecord, summary_of
from lib.chat_settings import ChatSettings
from lib.messages import Message
from lib.tokens import Provenance, TokenCounter
from lib.tool_calls import opens_exchange
from lib.turns import PlanSummary

TURNS_AHEAD = 100
"""How far a conversation is continued: to this turn, or by half of this where it is longer already."""


def replayed(
    history: Sequence[Message],
    sizes: MessageSizes,
    settings: ChatSettings,
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
) -> list[RequestRecord]:
    """Every request of this conversation, had these settings, mutes and pins been there from the start.

    A muted exchange's own request is one of them: it was asked.

    Example: a history of 4 messages asked by the user at 0 and 2 -> two records
    """
    preamble = settings.system_prompt if settings.system_prompt.strip() else None
    asked = [at for at, message in enumerate(history) if opens_exchange(message)]
    records = []
    for at, stop in pairwise([*asked, len(history)]):
        whole = RequestRecord(at, range(at + 1, stop), ((0, at + 1, True, "fits"),), preamble)
        records.append(replace(whole, runs=PlanSummary.of(sizes.planned_again(whole, settings, muted, pinned)).runs))
    return records


def reused(before: RequestRecord, now: RequestRecord, sizes: MessageSizes) -> int:
    """Tokens at the beginning of a request that are the same, message by message, as in the one before it.

    That is the most a provider's prompt cache can give back, since caches match from the first token on.
    """
    if before.system_prompt != now.system_prompt:
        return 0
    tokens = sizes.system_prompt(now.system_prompt)
    if summary_of(before) != summary_of(now):
        return tokens
    tokens += sizes.system_prompt(summary_of(now))
    for (start, stop), (other_start, other_stop) in zip(sent_stretches(before), sent_stretches(now), strict=False):
        if start != other_start:
            break
        tokens += sizes.between(start, min(stop, other_stop))
        if stop != other_stop:
            break
    return tokens


def sent_stretches(record: RequestRecord) -> list[tuple[int, int]]:
    """The stored stretches a request held, neighbours joined."""
    joined: list[tuple[int, int]] = []
    for start, stop, included, _ in record.runs:
        if not included:
            continue
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


@dataclass(frozen=True, slots=True)
class Projection:
    """A conversation as if it went on like this: `history` with made-up exchanges behind `real` stored messages."""

    history: Sequence[Message]
    counter: TokenCounter
    real: int


def continued(history: Sequence[Message], sizes: MessageSizes, to_turn: int | None = None) -> Projection:
    """Add exchanges of the mean size so far, until `to_turn` (by default 100, or 50 more where there are more already)."""
    asked = [at for at, message in enumerate(history) if opens_exchange(message)]
    turns = to_turn or (TURNS_AHEAD if len(asked) <= TURNS_AHEAD // 2 else len(asked) + TURNS_AHEAD // 2)
    if not asked:
        return Projection(history, sizes.counter, len(history))
    question = _mean(sizes.between(at, at + 1) for at in asked)
    answer = _mean(sizes.between(at + 1, stop) for at, stop in pairwise([*asked, len(history)]))
    exchange = [Message("user", question), Message("assistant", answer)]
    added = exchange * max(0, turns - len(asked))
    return Projection([*history, *added], ProjectedCounter(sizes.counter), len(history))


class ProjectedCounter:
    """Counts made-up messages, whose content is their size, and leaves real ones to the counter it stands before."""

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
        """The same for many; the real ones in one go."""
        real = iter(self._real.count_many([message for message in messages if not isinstance(message.content, int)]))
        return [message.content if isinstance(message.content, int) else next(real) for message in messages]

    def template(self, has_system: bool) -> int:
        """As the real counter has it."""
        return self._real.template(has_system)


def _mean(sizes: Iterable[int]) -> int:
    """The mean, rounded; 0 of nothing."""
    known = list(sizes)
    return round(sum(known) / len(known)) if known else 0
