"""Measures how long a model takes to its first token under each strategy, request after request.

Sends the requests that the chat would have sent at those turns, one at a time, one strategy after the other. Replies
are short, because only the first token counts. Nothing is stored. The first request of each strategy is marked as cold,
though a provider may still have cached its start from a request of the strategy before.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from lib.analysis.replay import replay
from lib.analysis.requests import MessageSizes
from lib.context import NO_MARKS, Marks
from lib.errors import ChatError
from lib.lab.bakeoff import Contestant
from lib.messages import Message, Usage
from lib.providers import ChatRequest, Provider, Reply

REPLY_TOKENS = 16
"""The longest reply in tokens; some providers allow no smaller limit."""
HEARTBEAT_SECONDS = 0.4
"""Seconds between two `Waiting` events while a request runs, so that a page can be interrupted meanwhile."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TimedRequest:
    """A request to send. `name` is its contestant's, `turn` the turn of the conversation that it repeats."""

    name: str
    turn: int
    tokens: int
    """Its size by our counter."""
    request: ChatRequest


@dataclass(frozen=True, slots=True)
class MeasuredLatency:
    """The latency of one request. Times are milliseconds since it was sent; None if nothing came."""

    name: str
    turn: int
    tokens: int
    cold: bool
    """Whether it was the first of its contestant."""
    first_token_ms: float | None
    duration_ms: float | None
    usage: Usage = field(default_factory=Usage)
    """As the provider reported it, with the tokens that came from its cache."""
    error: Mapping[str, Any] | None = None
    """ChatError.to_dict() of what went wrong."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Says that a request is still running, and for how many seconds."""

    name: str
    turn: int
    seconds: float


def requests(
    history: Sequence[Message],
    sizes: MessageSizes,
    contestants: Sequence[Contestant],
    last: int = 8,
    reply_tokens: int = REPLY_TOKENS,
    marks: Marks = NO_MARKS,
) -> list[TimedRequest]:
    """The requests of the last turns under each contestant's settings, in sending order, without those that do not fit.

    `sizes` are of this history; `reply_tokens` is the longest reply.
    Example: requests(history, sizes, contestants, last=8) -> 8 of the first contestant, 8 of the second
    """
    found = []
    for contestant in contestants:
        settings = contestant.settings
        records = replay(history, sizes, settings, marks)
        for turn, record in list(enumerate(records, start=1))[-max(1, last) :]:
            tokens = sizes.parts(record).sent
            if tokens <= settings.window.input_budget:
                request = ChatRequest(settings.model, tuple(sizes.messages(record)), reply_tokens)
                found.append(TimedRequest(contestant.name, turn, tokens, request))
    return found


def measure(provider: Provider, timed: Iterable[TimedRequest]) -> Generator[Waiting | MeasuredLatency, None, None]:
    """Send requests one by one. Yields a MeasuredLatency after each, and a Waiting every HEARTBEAT_SECONDS meanwhile.

    Closing the generator drops the running request and sends nothing more. A failure is yielded, too; after one that
    would happen again, nothing more is sent.
    Example: [type(event) for event in measure(provider, timed)] -> [Waiting, Waiting, MeasuredLatency, ...]
    """
    started_names: set[str] = set()
    for timed_request in timed:
        name, turn = timed_request.name, timed_request.turn
        stopping, outcomes = threading.Event(), queue.SimpleQueue[tuple[MeasuredLatency, bool]]()
        reader = _Reader(provider, timed_request, name not in started_names, stopping, outcomes)
        threading.Thread(target=reader.run, daemon=True, name=f"measure-{name}-{turn}").start()
        started = time.perf_counter()
        outcome = None
        try:
            while outcome is None:
                try:
                    outcome = outcomes.get(timeout=HEARTBEAT_SECONDS)
                except queue.Empty:
                    yield Waiting(name, turn, time.perf_counter() - started)
        finally:
            stopping.set()
        started_names.add(name)
        latency, send_more = outcome
        yield latency
        if not send_more:
            return


@dataclass(frozen=True, slots=True)
class _Reader:
    """Sends one request in its own thread. Puts its latency, and whether to send more, into `outcomes`."""

    provider: Provider
    timed: TimedRequest
    cold: bool
    stopping: threading.Event
    outcomes: queue.SimpleQueue[tuple[MeasuredLatency, bool]]

    def run(self) -> None:
        """Send the request. There is always exactly one outcome."""
        started = time.perf_counter()
        try:
            self.outcomes.put((self._read(started), True))
        except ChatError as error:
            self.outcomes.put((self._failed(error), error.retryable))
        except Exception as error:
            log.exception("measuring %s failed", self.timed.name)
            unexpected = ChatError(
                f"Something unexpected went wrong here ({type(error).__name__}).", safe="Nothing was changed."
            )
            self.outcomes.put((self._failed(unexpected), False))

    def _read(self, started: float) -> MeasuredLatency:
        first: float | None = None
        usage = Usage()
        stream = self.provider.stream(self.provider.prepare(self.timed.request))
        for event in stream:
            if isinstance(event, Reply):
                usage = event.usage
            elif first is None:
                first = _since(started)
            if self.stopping.is_set():
                break
        if isinstance(stream, Generator):
            stream.close()
        return MeasuredLatency(
            self.timed.name, self.timed.turn, self.timed.tokens, self.cold, first, _since(started), usage
        )

    def _failed(self, error: ChatError) -> MeasuredLatency:
        return MeasuredLatency(
            self.timed.name, self.timed.turn, self.timed.tokens, self.cold, None, None, error=error.to_dict()
        )


def medians(results: Iterable[MeasuredLatency]) -> dict[str, float | None]:
    """The median milliseconds to the first token by contestant, without cold requests; None if none was measured.

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
