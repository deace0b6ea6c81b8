"""The recall probe, run: the planned questions are sent one after the other, and every reply is scored.

The rule: it runs in a thread of its own, so that no page has to wait for it, and belongs to no conversation: nothing is
stored. A failure is kept with its question and the next one is asked; only a missing or refused key ends the questions to that
provider, because it would fail again. `cancel` is heard at once: what is being answered then is dropped.
It leaves out what to ask (lib/lab/recall/plan.py) and what a reply is worth (lib/lab/recall/grading.py).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from lib.analysis.bills import Finder
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, ContextOverflow, MissingKey, ProviderError, WrongKey
from lib.lab.facts import Fact
from lib.lab.recall.grading import Verdict, score
from lib.lab.recall.plan import Ask
from lib.messages import Usage
from lib.pricing.costs import cost
from lib.providers import Provider, Reply

Opener = Callable[[ChatSettings], Provider]

SAFE = "The other answers are kept, and your conversation is as it was."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question. `verdict` is None where there is an error, `error` None where there is a reply."""

    fact: Fact
    arm: str
    repeat: int
    held: bool
    """Whether the answer went along with the question."""
    reply: str = ""
    verdict: Verdict | None = None
    usage: Usage = field(default_factory=Usage)
    """As the provider reported it."""
    cost: Decimal | None = None
    """USD by that usage; None where the usage or the price is not known."""
    error: Mapping[str, Any] | None = None
    """ChatError.to_dict() of what went wrong."""


class Progress(NamedTuple):
    """How many questions are through, of how many."""

    done: int
    total: int


class Probe:
    """Asks what was planned. `done` is set when nothing more will be asked. Safe to read from any thread.

    Example: probe = Probe(asks, services.provider_of, find_model); probe.start(); probe.progress -> Progress(3, 24)
    """

    def __init__(self, asks: Sequence[Ask], open_provider: Opener, find: Finder) -> None:
        self.asks = tuple(asks)
        self.done = threading.Event()
        self._open_provider = open_provider
        self._find = find
        self._lock = threading.Lock()
        self._answers: list[Answer] = []
        self._cancelled = threading.Event()
        self._hopeless: dict[str, ChatError] = {}

    def start(self) -> None:
        """Begin asking."""
        threading.Thread(target=self._run, daemon=True, name="recall-probe").start()

    def cancel(self) -> None:
        """Ask nothing more and let go of what is being answered. What was answered until then is kept."""
        with self._lock:
            self._cancelled.set()
        self.done.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody ended it before it was through."""
        return self._cancelled.is_set()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._lock:
            return Progress(len(self._answers), len(self.asks))

    @property
    def results(self) -> tuple[Answer, ...]:
        """The answers so far, in the order of the questions."""
        with self._lock:
            return tuple(self._answers)

    def _run(self) -> None:
        try:
            for ask in self.asks:
                if self._cancelled.is_set():
                    return
                answer = self._answer(ask)
                with self._lock:
                    if not self._cancelled.is_set():
                        self._answers.append(answer)
        finally:
            self.done.set()

    def _answer(self, ask: Ask) -> Answer:
        """Ask one question. Whatever happens, there is an answer."""
        provider = ask.arm.settings.provider
        try:
            if provider in self._hopeless:
                raise self._hopeless[provider]
            if not ask.fits:
                raise _too_large(ask)
            return self._scored(ask, self._ask(ask))
        except (MissingKey, WrongKey) as error:
            self._hopeless[provider] = error
            return _failed(ask, error)
        except ChatError as error:
            return _failed(ask, error)
        except Exception as error:
            log.exception("a question of the recall probe failed")
            return _failed(ask, ChatError(f"Something unexpected went wrong here ({type(error).__name__})."))

    def _ask(self, ask: Ask) -> Reply:
        provider = self._open_provider(ask.arm.settings)
        stream = provider.stream(provider.prepare(ask.request))
        reply = None
        for event in stream:
            reply = event if isinstance(event, Reply) else None
            if self._cancelled.is_set():
                break
        if isinstance(stream, Generator):
            stream.close()
        if reply is None:
            raise ProviderError("The reply did not come to its end.")
        return reply

    def _scored(self, ask: Ask, reply: Reply) -> Answer:
        if not reply.text.strip():
            raise ProviderError(
                f"The reply came back empty (the provider's reason: {reply.stop_reason or 'not reported'}).",
                next_step="Allow longer replies: hidden reasoning may have used them up.",
            )
        model = self._find(ask.arm.settings.provider, ask.arm.settings.model)
        price = None if model is None else cost(model, reply.usage)
        return Answer(
            ask.fact,
            ask.arm.name,
            ask.repeat,
            ask.held,
            reply.text,
            score(reply.text, ask.fact),
            reply.usage,
            None if price is None else price.total,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """What the repeats of one question to one arm came to: how many replies of each kind, and how many failed."""

    recalled: int
    admitted: int
    made_up: int
    failed: int


def scores(answers: Iterable[Answer]) -> dict[tuple[Fact, str], Score]:
    """The grid of facts and arms, in the order they were asked.

    Example: {(fact, "low_water"): Score(recalled=2, admitted=1, made_up=0, failed=0)}
    """
    counts: dict[tuple[Fact, str], Counter[Verdict | None]] = {}
    for answer in answers:
        counts.setdefault((answer.fact, answer.arm), Counter())[answer.verdict] += 1
    return {
        cell: Score(found["recalled"], found["admitted"], found["made_up"], found[None])
        for cell, found in counts.items()
    }


def _failed(ask: Ask, error: ChatError) -> Answer:
    return Answer(ask.fact, ask.arm.name, ask.repeat, ask.held, error=error.to_dict() | {"safe": SAFE})


def _too_large(ask: Ask) -> ContextOverflow:
    budget = ask.arm.settings.window.input_budget
    return ContextOverflow(
        f"The question would be a request of {ask.tokens:,} tokens ({ask.provenance}), and the window leaves"
        f" {budget:,}. It was not sent.",
        tokens=ask.tokens,
        limit=budget,
    )
