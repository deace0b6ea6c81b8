"""Sends one request and reads its reply, again where a rate limit or a passing failure was in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from lib.chat_settings import ChatSettings
from lib.context.marks import Marks
from lib.context.plan import ContextPlan
from lib.errors import ContextOverflow, ProviderError, RateLimited
from lib.messages import Message
from lib.planner import plan_next
from lib.prompt_sets.running.lanes import Cancelled, Lane
from lib.providers import ChatRequest, Provider, Reply, SentBody
from lib.providers.refused_settings import refuse_unsent
from lib.providers.repetition import until_repetition
from lib.spending.meter import Meter
from lib.spending.metered import MeteredProvider
from lib.tokens import TokenCounter, provenance_label
from lib.tokens.ledger import TokenLedger

OpenProvider = Callable[[ChatSettings], Provider]
CounterOf = Callable[[ChatSettings, Provider], TokenCounter]

MOST_ATTEMPTS = 5
FIRST_WAIT = 1.0
"""Seconds before the second attempt where the endpoint does not say how long; each further wait is twice as long."""
LONGEST_WAIT = 180.0
"""Seconds. An endpoint that wants to be left alone for longer is not asked again in this run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A reply with what is known of its request. `seconds` and `first_seconds` are of the attempt that succeeded."""

    reply: Reply
    sent: SentBody
    seconds: float
    first_seconds: float | None
    started_at: float
    attempts: int


class Asker:
    """Asks one model: its provider is opened and its counter found once. Safe to use from any thread."""

    def __init__(
        self,
        settings: ChatSettings,
        lane: Lane,
        cancelled: threading.Event,
        open_provider: OpenProvider,
        counter_of: CounterOf,
        meter: Meter,
    ) -> None:
        self.settings = settings
        self.lane = lane
        self._cancelled = cancelled
        self._open = open_provider
        self._counter_of = counter_of
        self._meter = meter
        self._lock = threading.Lock()
        self._opened: tuple[Provider, TokenCounter] | None = None

    @property
    def parts(self) -> tuple[Provider, TokenCounter]:
        """The provider behind its meter, and the counter. Raises ProviderError."""
        with self._lock:
            if self._opened is None:
                provider = self._open(self.settings)
                counter = self._counter_of(self.settings, provider)
                self._opened = MeteredProvider(provider, self._meter, counter), counter
            return self._opened

    def plan(self, system: str, text: str) -> ContextPlan:
        """The plan of a request for this prompt alone. Raises ContextOverflow if it does not fit the window."""
        settings = replace(self.settings, system_prompt=system or self.settings.system_prompt)
        plan = plan_next(settings, Marks(), (), text, TokenLedger(self.parts[1]))
        if not plan.fits:
            raise ContextOverflow(
                f"The request would be {plan.input_tokens:,} tokens ({provenance_label(plan.provenance)}), and the"
                f" window has room for {plan.window.input_budget:,}. It was not sent.",
                tokens=plan.input_tokens,
                limit=plan.window.input_budget,
            )
        return plan

    def ask(self, messages: Sequence[Message]) -> Asked:
        """Send these messages, and again after a rate limit or a failure that may pass.

        Raises ChatError, and Cancelled if the run was cancelled meanwhile.
        """
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                with self.lane.place():
                    return self._once(messages, attempt)
            except ProviderError as error:
                wait = _wait_after(error, attempt)
                if wait is None:
                    raise
                if isinstance(error, RateLimited):
                    self.lane.leave_alone(wait)
                else:
                    self.lane.pause(wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, messages: Sequence[Message], attempt: int) -> Asked:
        provider, settings = self.parts[0], self.settings
        request = ChatRequest(settings.model, tuple(messages), settings.reply_tokens, settings.generation)
        sent = provider.prepare(request)
        refuse_unsent(provider.name, sent.unsent)
        started_at, start = time.time(), time.monotonic()
        reply, first = None, None
        stream = until_repetition(provider.stream(sent), settings.model)
        try:
            for event in stream:
                if self._cancelled.is_set():
                    raise Cancelled
                first = time.monotonic() - start if first is None else first
                reply = event if isinstance(event, Reply) else None
        finally:
            if isinstance(stream, Generator):
                stream.close()
        if reply is None:
            raise ProviderError("The reply broke off before its end.")
        return Asked(reply, sent, time.monotonic() - start, first, started_at, attempt)


def _wait_after(error: ProviderError, attempt: int) -> float | None:
    """Seconds to wait before the next attempt; None if there is none."""
    if not error.retryable or attempt == MOST_ATTEMPTS:
        return None
    wait = error.wait_seconds if isinstance(error, RateLimited) else None
    wait = FIRST_WAIT * 2.0 ** (attempt - 1) if wait is None else wait
    return wait if wait <= LONGEST_WAIT else None
