"""Rebuilds every request of a conversation from its turn records, or from the messages alone if no turn was recorded.

All sizes of one MessageSizes are tokens by one counter, and the parts of a request add up to its total. A request
without a turn record says so (`recorded` is False). Costs are in lib/analysis/bills.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lib.analysis.history_prefix import HistoryPrefix
from lib.chat_settings import ChatSettings
from lib.context import NO_MARKS, Marks, plan_context
from lib.context.candidates import Candidates
from lib.context.exchanges import Exchanges
from lib.context.plan import ContextPlan
from lib.context.reasons import Reason
from lib.messages import Message, system
from lib.recorded_requests import prompt_of
from lib.tokens import Provenance, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.tool_calls import opens_exchange
from lib.turns import Turn

PlainRun = tuple[int, int, bool, Reason]


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request. `at` is the stored index of its newest message, `reply` the stored indexes of what came back.

    `turn` is None if another service sent it or it was imported. Then `runs` hold everything stored up to `at`, which
    is what a service that drops nothing would have sent.
    """

    at: int
    reply: range
    runs: tuple[PlainRun, ...]
    system_prompt: str | None
    turn: Turn | None = None

    @property
    def recorded(self) -> bool:
        return self.turn is not None

    @property
    def name(self) -> str:
        """Example: "turn 3", or "message 7" if no turn was recorded."""
        return f"turn {self.turn.number}" if self.turn is not None else f"message {self.at + 1}"


def records_of(history: Sequence[Message], turns: Sequence[Turn]) -> list[RequestRecord]:
    """Every request, in order. Skips turns that match no stored message; `detached` finds those."""
    placed = [(turn.plan.stored, turn) for turn in turns if turn.plan is not None and _is_stored(history, turn)]
    by_index: dict[int, list[Turn]] = {}
    for at, turn in placed:
        by_index.setdefault(at, []).append(turn)
    starts = sorted({start for start, _ in exchanges_of(history)} - _sent_along(placed) | by_index.keys())
    records = []
    for at, end in pairwise([*starts, len(history)]):
        sent = by_index.get(at)
        if sent is None:
            records.append(RequestRecord(at, range(at + 1, end), ((0, at + 1, True, "fits"),), None))
            continue
        # only a request that an app sent again, because it had failed, shares its newest message with another one
        records += [_recorded(turn, at, at + 1) for turn in sent[:-1] if turn.recorded is not None]
        records.append(_recorded(sent[-1], at, end))
    return records


def _recorded(turn: Turn, at: int, end: int) -> RequestRecord:
    """The record of a turn whose reply ends before the stored index `end`."""
    assert turn.plan is not None
    prompt = turn.system_prompt if turn.plan.system_tokens is not None else None
    return RequestRecord(at, range(at + 1, end), turn.plan.runs, prompt, turn)


def _sent_along(placed: Sequence[tuple[int, Turn]]) -> set[int]:
    """The messages that apps sent for the first time before the newest of a request: no request ended with them."""
    return {at for newest, turn in placed if turn.recorded for at in range(turn.recorded.first_new, newest)}


def detached(history: Sequence[Message], turns: Sequence[Turn]) -> list[Turn]:
    """Turns that match no stored message: the request was never planned, or the history changed since then."""
    return [turn for turn in turns if turn.plan is None or not _is_stored(history, turn)]


def exchanges_of(history: Sequence[Message]) -> list[tuple[int, int]]:
    """The (start, stop) stored indexes of every exchange: a user message with everything up to the next one.

    Example: user, assistant, user, assistant, tool -> [(0, 2), (2, 5)]
    """
    starts = [at for at, message in enumerate(history) if opens_exchange(message)]
    return list(pairwise([*starts, len(history)]))


def _is_stored(history: Sequence[Message], turn: Turn) -> bool:
    at = turn.plan.stored if turn.plan is not None else len(history)
    if turn.recorded is not None:
        return at < len(history) and prompt_of(history[at]) == turn.prompt
    return at < len(history) and history[at].role == "user" and history[at].content == turn.prompt


@dataclass(frozen=True, slots=True)
class RequestParts:
    """The parts of one request in tokens by one counter. `reply` and `left_out` are not part of the request."""

    template: int
    system: int
    pinned: int
    history: int
    newest: int
    left_out: int
    reply: int

    @property
    def sent(self) -> int:
        """The whole request."""
        return self.template + self.system + self.pinned + self.history + self.newest

    @property
    def resent(self) -> int:
        """Everything but the newest message."""
        return self.sent - self.newest


class MessageSizes:
    """One counter's sizes of a history's messages, in tokens; the size of any range of messages takes O(1)."""

    def __init__(self, counter: TokenCounter, history: Sequence[Message], ledger: TokenLedger | None = None) -> None:
        self.counter = counter
        self._history = history
        self._totals = (ledger or TokenLedger(counter)).sync(history)
        self._systems: dict[str, int] = {}

    @property
    def provenance(self) -> Provenance:
        return self.counter.provenance

    def between(self, start: int, stop: int) -> int:
        """Tokens of the stored messages start..stop (stop not included)."""
        return self._totals.sums[stop] - self._totals.sums[start]

    def parts(self, record: RequestRecord) -> RequestParts:
        """A request's parts. They add up to the counter's size of the whole request."""
        instructions = self.system_prompt(record.system_prompt) + self.system_prompt(summary_of(record))
        sizes: dict[str, int] = {"system": instructions, "pinned": 0, "history": 0}
        left_out = 0
        for start, stop, included, reason in record.runs:
            tokens = self.between(start, min(stop, record.at)) if start < record.at else 0
            if not included:
                left_out += tokens
            else:
                sizes[reason if reason in ("system", "pinned") else "history"] += tokens
        return RequestParts(
            template=self.counter.template(self._begins_with_system(record)),
            newest=self.between(record.at, record.at + 1),
            left_out=left_out,
            reply=self.between(record.reply.start, record.reply.stop),
            **sizes,
        )

    def messages(self, record: RequestRecord) -> list[Message]:
        """The messages a request held, in order."""
        preamble = [system(text) for text in (record.system_prompt, summary_of(record)) if text is not None]
        runs = [(start, min(stop, record.at + 1)) for start, stop, included, _ in record.runs if included]
        return [*preamble, *(message for start, stop in runs for message in self._history[start:stop])]

    def planned_again(self, record: RequestRecord, settings: ChatSettings, marks: Marks = NO_MARKS) -> ContextPlan:
        """Plan this request again with these settings and this counter.

        Messages that were muted, pinned or summarized in the request stay so; the pins and mutes of `marks` are added.
        """
        candidates = self._candidates(record, settings.system_prompt if settings.system_prompt.strip() else None)
        own = marks_of(record)
        all_marks = Marks.of({*own.muted, *marks.muted}, {*own.pinned, *marks.pinned}, own.summary)
        return plan_context(candidates, settings.window, settings.strategy, all_marks, settings.options)

    def exchanges(self, record: RequestRecord) -> Exchanges:
        """The exchanges this request could hold, with the system prompt, summary, pins and mutes it had."""
        candidates, marks = self._candidates(record, record.system_prompt), marks_of(record)
        if marks.summary is not None:
            size = self.system_prompt(marks.summary.message.text)
            candidates = replace(candidates, summary=marks.summary, summary_tokens=size)
        return Exchanges(candidates, marks.muted, marks.pinned)

    def _candidates(self, record: RequestRecord, system_prompt: str | None) -> Candidates:
        """Everything this request could hold, with this system prompt."""
        return Candidates(
            None if system_prompt is None else system(system_prompt),
            HistoryPrefix(self._history, record.at),
            self._history[record.at],
            self._totals,
            self.counter,
            self.system_prompt(system_prompt),
            self.between(record.at, record.at + 1),
        )

    def system_prompt(self, prompt: str | None) -> int:
        """Tokens of a system prompt; 0 for None."""
        if prompt is None:
            return 0
        if prompt not in self._systems:
            self._systems[prompt] = self.counter.count(system(prompt))
        return self._systems[prompt]

    def answered(self, record: RequestRecord) -> int:
        """The stored index after what the server answered this request with, before tool results and other messages."""
        others = (at for at in record.reply if self._history[at].role != "assistant")
        return next(others, record.reply.stop)

    def opening(self, record: RequestRecord) -> int:
        """Tokens that the chat template adds before the first message: a system block, where the request has none."""
        added = self.counter.template(False) - self.counter.template(True)
        return 0 if self._begins_with_system(record) else max(0, added)

    def _begins_with_system(self, record: RequestRecord) -> bool:
        if record.system_prompt is not None or summary_of(record) is not None:
            return True
        first = next((start for start, _, included, _ in record.runs if included), None)
        return first is not None and self._history[first].is_system


SizesOf = Callable[[RequestRecord], MessageSizes]
"""Gives the sizes that a request is measured with: by one counter for all, or by that of the model that answered it."""


def muted_in(runs: Sequence[PlainRun]) -> list[int]:
    """The stored indexes of the messages that are muted in these runs."""
    return [at for start, stop, _, reason in runs if reason == "muted" for at in range(start, stop)]


def marks_of(record: RequestRecord) -> Marks:
    """What was muted, pinned and summarized in this request."""
    muted = muted_in(record.runs)
    plan = record.turn.plan if record.turn is not None else None
    return Marks.of(muted) if plan is None else Marks.of(muted, plan.pinned, plan.summary)


def summary_of(record: RequestRecord) -> str | None:
    """The text of the summary that this request sent, or None."""
    plan = record.turn.plan if record.turn is not None else None
    return plan.summary.message.text if plan is not None and plan.summary is not None else None
