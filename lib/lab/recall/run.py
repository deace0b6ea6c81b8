"""Runs a recall probe: sends the planned questions one after the other and grades every reply.

It runs in its own thread, so no page waits for it, and stores nothing in the conversation. After a failure it asks the
next question. Only a missing or refused key ends the questions to that provider, because they would all fail.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from lib.analysis.bills import FindModel
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, ContextOverflow, MissingKey, ProviderError, WrongKey
from lib.lab.facts import Fact
from lib.lab.recall.grading import Verdict, grade
from lib.lab.recall.plan import Question
from lib.messages import Usage
from lib.pricing.costs import cost
from lib.providers import Provider, Reply
from lib.providers.refused_settings import refuse_unsent
from lib.tokens import provenance_label

OpenProvider = Callable[[ChatSettings], Provider]

SAFE = "The other answers are kept, and your conversation is as it was."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one question. `verdict` is None if there is an error, `error` is None if there is a reply."""

    fact: Fact
    arm: str
    repeat: int
    held: bool
    """Whether the request held the answer."""
    reply: str = ""
    verdict: Verdict | None = None
    usage: Usage = field(default_factory=Usage)
    """As the provider reported it."""
    cost: Decimal | None = None
    """USD by that usage; None if the usage or the price is not known."""
    error: Mapping[str, Any] | None = None
    """ChatError.to_dict() of what went wrong."""


class Progress(NamedTuple):
    """How many questions have an outcome, of how many."""

    done: int
    total: int


class Probe:
    """Asks planned questions. `done` is set when nothing more will be asked. Safe to read from any thread.

    Example: probe = Probe(questions, services.provider_of, find_model); probe.start(); probe.progress -> Progress(3,
    24)
    """

    def __init__(self, questions: Sequence[Question], open_provider: OpenProvider, find: FindModel) -> None:
        self.questions = tuple(questions)
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
        """Stop asking and drop the question that is being answered. Earlier answers are kept."""
        with self._lock:
            self._cancelled.set()
        self.done.set()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    @property
    def progress(self) -> Progress:
        """How many questions have an outcome, of how many."""
        with self._lock:
            return Progress(len(self._answers), len(self.questions))

    @property
    def results(self) -> tuple[Answer, ...]:
        """The answers so far, in the order of the questions."""
        with self._lock:
            return tuple(self._answers)

    def _run(self) -> None:
        try:
            for question in self.questions:
                if self._cancelled.is_set():
                    return
                answer = self._answer(question)
                with self._lock:
                    if not self._cancelled.is_set():
                        self._answers.append(answer)
        finally:
            self.done.set()

    def _answer(self, question: Question) -> Answer:
        """Ask one question. There is always an Answer: a failure is part of it."""
        provider = question.arm.settings.provider
        try:
            if provider in self._hopeless:
                raise self._hopeless[provider]
            if not question.fits:
                raise _too_large(question)
            return self._graded(question, self._ask(question))
        except (MissingKey, WrongKey) as error:
            self._hopeless[provider] = error
            return _failed(question, error)
        except ChatError as error:
            return _failed(question, error)
        except Exception as error:
            log.exception("a question of the recall probe failed")
            return _failed(question, ChatError(f"Something unexpected went wrong here ({type(error).__name__})."))

    def _ask(self, question: Question) -> Reply:
        provider = self._open_provider(question.arm.settings)
        sent = provider.prepare(question.request)
        refuse_unsent(provider.name, sent.unsent)
        stream = provider.stream(sent)
        reply = None
        for event in stream:
            reply = event if isinstance(event, Reply) else None
            if self._cancelled.is_set():
                break
        if isinstance(stream, Generator):
            stream.close()
        if reply is None:
            raise ProviderError("The reply broke off before its end.")
        return reply

    def _graded(self, question: Question, reply: Reply) -> Answer:
        if not reply.text.strip():
            raise ProviderError(
                f"The reply came back empty (the provider's reason: {reply.stop_reason or 'not reported'}).",
                next_step="Allow longer replies: hidden reasoning may have used them up.",
            )
        model = self._find(question.arm.settings.provider, question.arm.settings.model)
        price = None if model is None else cost(model, reply.usage)
        return Answer(
            question.fact,
            question.arm.name,
            question.repeat,
            question.held,
            reply.text,
            grade(reply.text, question.fact),
            reply.usage,
            None if price is None else price.total,
        )


def _failed(question: Question, error: ChatError) -> Answer:
    return Answer(
        question.fact, question.arm.name, question.repeat, question.held, error=error.to_dict() | {"safe": SAFE}
    )


def _too_large(question: Question) -> ContextOverflow:
    budget = question.arm.settings.window.input_budget
    return ContextOverflow(
        f"The question would be a request of {question.tokens:,} tokens"
        f" ({provenance_label(question.provenance)}), and the window has room for {budget:,}. It was not sent.",
        tokens=question.tokens,
        limit=budget,
    )
