"""The reading thread of a turn: plans the request, sends it, and passes on what the provider streams.

Everything that can be slow happens here (opening a provider, counting, writing a summary, waiting for the first word),
so that neither the heartbeat nor Stop has to wait. The owning thread is in lib/chat/turn_worker.py; it writes the
turn's record. This thread writes nothing but a summary.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib.chat.cache_question import cache_question
from lib.chat.rebuild import MESSAGES
from lib.chat.summarizer import STEP_TOKENS, Summarizer
from lib.chat_settings import ChatSettings
from lib.context import Marks, WantedSummary
from lib.context.candidates import Summary
from lib.context.plan import ContextPlan, Fallback
from lib.errors import ChatError, ContextOverflow, RuleBroken, TurnLost
from lib.history import HistoryStore
from lib.messages import Message
from lib.planner import plan_next, summary_needed
from lib.providers import ChatRequest, Provider, SentBody, StreamEvent
from lib.providers.refused_settings import refuse_unsent
from lib.providers.repetition import until_repetition
from lib.request_rules import PROVIDERS, refusals
from lib.spending.metered import MeteredProvider
from lib.spending.spending import Spending
from lib.tokens import TokenCounter, provenance_label
from lib.tokens.ledger import TokenLedger
from lib.turns import LiveTurn, Summarized

ProviderOpener = Callable[[ChatSettings], Provider]


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, for the turn's record."""

    request: dict[str, Any]
    """The request body without messages and system prompt."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Phase:
    """Progress shown before the request is sent, e.g. "summarizing"; an empty name ends it."""

    name: str
    summarized: Summarized | None = None


Event = ContextPlan | Phase | Sent | StreamEvent | BaseException


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads one turn. `events` receives what happens, in order; `stopping` is set when nobody wants more."""

    store: HistoryStore
    session_id: str
    live: LiveTurn
    open_provider: ProviderOpener
    ledger_for: Callable[[Provider], TokenLedger]
    spending: Spending
    events: queue.SimpleQueue[Event]
    stopping: threading.Event

    def run(self) -> None:
        """Run until the reply is complete or nobody wants more. Errors become events."""
        settings = self.live.settings
        try:
            provider = self.open_provider(settings)
            ledger = self.ledger_for(provider)
            provider = self._metered(provider, ledger.counter)
            plan = self._plan(ledger, provider)
            self.events.put(plan)
            if not self.live.over_budget_allowed:
                _refuse_overflow(plan)
                _refuse_broken_rules(provider, plan)
            question = cache_question(settings, self.store.turns(self.session_id, 1))
            request = ChatRequest(
                settings.model, tuple(plan.included), settings.reply_tokens, settings.generation, question
            )
            sent = provider.prepare(request)
            refuse_unsent(provider.name, sent.unsent)
            if self.live.fields:
                sent = SentBody.of(request, {**sent.body, **self.live.fields})
            rest = {name: value for name, value in sent.body.items() if name not in MESSAGES}
            self.events.put(Sent(rest, sent.sha256))
            stream = until_repetition(provider.stream(sent), settings.model)
            for event in stream:
                self.events.put(event)
                if self.stopping.is_set():
                    break
            if isinstance(stream, Generator):
                stream.close()
        except Exception as error:  # noqa: BLE001 - handed to the owning thread, which raises it
            self.events.put(error)

    def _metered(self, provider: Provider, counter: TokenCounter) -> Provider:
        """The provider with a meter on it, so that no request, summaries included, passes a spending cap."""
        return MeteredProvider(provider, self.spending.meter(self.session_id), counter)

    def _plan(self, ledger: TokenLedger, provider: Provider) -> ContextPlan:
        """Plan what this turn sends, after writing the summary that the plan needs, if any."""
        live, about = self.live, self.store.about(self.session_id)
        marks = about.marks.muting(live.replaces)
        history = self.store.load(self.session_id)
        wanted = summary_needed(live.settings, marks, history, live.prompt, ledger)
        failure = None
        if wanted is not None:
            marks, failure = self._summarize(wanted, marks, about.summaries, history, ledger, provider)
        plan = plan_next(live.settings, marks, history, live.prompt, ledger)
        if failure is None:
            return plan
        text = failure if plan.fallback is None else f"{plan.fallback.text} {failure}"
        return replace(plan, fallback=Fallback("summary_failed", text))

    def _summarize(
        self,
        wanted: WantedSummary,
        marks: Marks,
        earlier: Sequence[Summary],
        history: Sequence[Message],
        ledger: TokenLedger,
        provider: Provider,
    ) -> tuple[Marks, str | None]:
        """Write and keep the summary. Returns the marks with it, or the marks as they were and why it failed."""
        settings = self.live.settings
        self.events.put(Phase("summarizing"))
        try:
            writer = settings.summary_writer
            by = provider if writer is settings else self._metered(self.open_provider(writer), ledger.counter)
            step = max(STEP_TOKENS, settings.max_tokens // 2) if writer is settings else STEP_TOKENS
            summarizer = Summarizer(by, writer.model, ledger.counter, step, lambda: not self.stopping.is_set())
            summary, cost = summarizer.make(wanted, history)
            self.events.put(Phase("", cost))
            self.store.keep_summaries(self.session_id, (*earlier, summary), self.live.id)
            return replace(marks, summary=summary), None
        except TurnLost:
            raise
        except ChatError as error:
            if self.stopping.is_set():
                raise
            self.events.put(Phase(""))
            return marks, f"The summary could not be made: {error.what}"


def _refuse_overflow(plan: ContextPlan) -> None:
    """Raise ContextOverflow if the plan does not fit: the person decides whether to send it."""
    if plan.fits:
        return
    budget = plan.window.input_budget
    raise ContextOverflow(
        f"The request would be {plan.input_tokens:,} tokens ({provenance_label(plan.provenance)}), and the window of"
        f" {plan.window.max_tokens:,} leaves {budget:,} once {plan.window.reserved_for_reply:,} are reserved for the"
        " reply. It was not sent.",
        tokens=plan.input_tokens,
        limit=budget,
    )


def _refuse_broken_rules(provider: Provider, plan: ContextPlan) -> None:
    """Raise RuleBroken if the provider would refuse the request for its shape. It is shown first, and not sent."""
    broken = refusals(provider.rules, plan.included) if provider.rules is not None else []
    if not broken:
        return
    first = broken[0]
    more = f" So do {len(broken) - 1} more." if len(broken) > 1 else ""
    raise RuleBroken(
        f"The request breaks a rule of {PROVIDERS[first.rule.provider]}, “{first.rule.title}”: {first.sentence}{more} "
        "It would be refused, so it was not sent.",
        provider=first.rule.provider,
    )
