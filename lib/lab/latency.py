"""How long a model takes to its first token, request after request, under each strategy: measured.

The rule: what is sent is what the chat would have sent at those turns, one strategy after the other, one request at a time;
replies are cut short, because only the first token counts. Nothing is stored, and whoever stops asking stops the sending.
The first request of a strategy meets a cold cache and is told apart; a provider may still know a beginning from the
strategy before.
It leaves out computing (lib/lab/trim_costs.py).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from lib.analysis.replay import replayed
from lib.analysis.requests import MessageSizes
from lib.errors import ChatError
from lib.lab.bakeoff import Contestant
from lib.messages import Message, Usage
from lib.providers import ChatRequest, Provider, Reply

REPLY_TOKENS = 16
"""What a reply may be: some providers allow no less."""
HEARTBEAT_SECONDS = 0.4
"""While a request runs, whoever follows hears of it at least this often, so that a page can be interrupted."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timed:
    """One request to send. `name` is its entry's, `turn` the turn of the conversation it repeats."""

    name: str
    turn: int
    tokens: int
    """Its size by the counter of the entry."""
    request: ChatRequest


@dataclass(frozen=True, slots=True)
class MeasuredLatency:
    """How one request went. Times are milliseconds from sending on; None where nothing came."""

    name: str
    turn: int
    tokens: int
    cold: bool
    """The first of its entry."""
    first_token_ms: float | None
    duration_ms: float | None
    usage: Usage = field(default_factory=Usage)
    """As the provider reported it, with what came from its cache."""
    error: Mapping[str, Any] | None = None
    """ChatError.to_dict() of what went wrong."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that still runs, and for how long by now."""

    name: str
    turn: int
    seconds: float


def requests(
    history: Sequence[Message],
    sizes: MessageSizes,
    entries: Sequence[Contestant],
    last: int = 8,
    reply_tokens: int = REPLY_TOKENS,
    muted: Collection[int] = (),
    pinned: Collection[int] = (),
) -> list[Timed]:
    """The requests of the last turns under each entry, in the order they are sent. Those that do not fit are left out.

    `sizes` are of this history; `reply_tokens` is how long a reply may be.
    Example: requests(history, sizes, entries, last=8) -> 8 of the first entry, 8 of the second
    """
    made = []
    for entry in entries:
        settings = entry.settings
        records = replayed(history, sizes, settings, muted, pinned)
        for turn, record in list(enumerate(records, start=1))[-max(1, last) :]:
            tokens = sizes.parts(record).sent
            if tokens <= settings.window.input_budget:
                request = ChatRequest(settings.model, tuple(sizes.messages(record)), reply_tokens)
                made.append(Timed(entry.name, turn, tokens, request))
    return made


def measured(provider: Provider, timed: Iterable[Timed]) -> Generator[Waiting | MeasuredLatency, None, None]:
    """Send them one by one; say after each how long it took, and meanwhile, twice a second, that it still runs.

    Not going on (or closing the generator) sends nothing more, and lets go of the request that runs. A failure is part of
    what is said; one that would come again ends the measuring.
    Example: [one.first_token_ms for one in measured(provider, timed) if isinstance(one, MeasuredLatency)] -> [918.2, 120.4, ...]
    """
    begun: set[str] = set()
    for one in timed:
        stopping, answers = threading.Event(), queue.SimpleQueue[tuple[MeasuredLatency, bool]]()
        reader = _Reader(provider, one, one.name not in begun, stopping, answers)
        threading.Thread(target=reader.run, daemon=True, name=f"measure-{one.name}-{one.turn}").start()
        started = time.perf_counter()
        answer = None
        try:
            while answer is None:
                try:
                    answer = answers.get(timeout=HEARTBEAT_SECONDS)
                except queue.Empty:
                    yield Waiting(one.name, one.turn, time.perf_counter() - started)
        finally:
            stopping.set()
        begun.add(one.name)
        yield answer[0]
        if not answer[1]:
            return


@dataclass(frozen=True, slots=True)
class _Reader:
    """Sends one request in a thread of its own; answers how it went, and whether another one makes sense."""

    provider: Provider
    one: Timed
    cold: bool
    stopping: threading.Event
    answers: queue.SimpleQueue[tuple[MeasuredLatency, bool]]

    def run(self) -> None:
        """Send it. Whatever happens, there is one answer."""
        started = time.perf_counter()
        try:
            self.answers.put((self._read(started), True))
        except ChatError as error:
            self.answers.put((self._failed(error), error.retryable))
        except Exception as error:
            log.exception("measuring %s failed", self.one.name)
            said = ChatError(
                f"Something unexpected went wrong here ({type(error).__name__}).", safe="Nothing was changed."
            )
            self.answers.put((self._failed(said), False))

    def _read(self, started: float) -> MeasuredLatency:
        first: float | None = None
        usage = Usage()
        stream = self.provider.stream(self.provider.prepare(self.one.request))
        for event in stream:
            if isinstance(event, Reply):
                usage = event.usage
            elif first is None:
                first = _since(started)
            if self.stopping.is_set():
                break
        if isinstance(stream, Generator):
            stream.close()
        return MeasuredLatency(self.one.name, self.one.turn, self.one.tokens, self.cold, first, _since(started), usage)

    def _failed(self, error: ChatError) -> MeasuredLatency:
        return MeasuredLatency(
            self.one.name, self.one.turn, self.one.tokens, self.cold, None, None, error=error.to_dict()
        )


def medians(results: Iterable[MeasuredLatency]) -> dict[str, float | None]:
    """The median time to the first token in milliseconds, by entry, without cold ones; None where none was measured.

    Example: {"oldest_first": 5986.0, "low_water": 1482.0}
    """
    times: dict[str, list[float]] = {}
    for result in results:
        known = times.setdefault(result.name, [])
        if not result.cold and result.first_token_ms is not None:
            known.append(result.first_token_ms)
    return {name: median(known) if known else None for name, known in times.items()}


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
