"""The reader's thread of a turn: decide what is sent, send it, pass on what comes.

The rule: everything that can be slow (opening a provider, counting, writing a summary, waiting for the first word) happens
here, so that neither the heartbeat nor Stop waits for it. It writes nothing but a summary it made; the turn's own record is
lib/chat/turn_worker.py's.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib.chat.summarizer import STEP_TOKENS, Summarizer
from lib.chat_settings import ChatSettings
from lib.context import WantedSummary, plan_context, wanted_summary
from lib.context.plan import Candidates, ContextPlan
from lib.errors import ChatError, RuleBroken, TurnLost
from lib.history import About, HistoryStore
from lib.messages import Message
from lib.providers import ChatRequest, Provider, Reply, TextDelta
from lib.request_rules import PROVIDERS, refusals
from lib.tokens.ledger import TokenLedger
from lib.turns import LiveTurn, Summarized

ProviderOpener = Callable[[ChatSettings], Provider]


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out, for the turn's record."""

    request: dict[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True)
class Phase:
    """What is being done before the request goes out, for people; empty when it is over."""

    name: str
    summarized: Summarized | None = None


Event = ContextPlan | Phase | Sent | TextDelta | Reply | BaseException


@dataclass(frozen=True, slots=True)
class RequestReader:
    """One turn's reader. `events` takes what happens, in order; `stopping` says that nobody wants more."""

    store: HistoryStore
    session_id: str
    live: LiveTurn
    open_provider: ProviderOpener
    count_with: Callable[[Provider], TokenLedger]
    events: queue.SimpleQueue[Event]
    stopping: threading.Event

    def run(self) -> None:
        """Until the reply is whole, or nobody wants more."""
        settings = self.live.settings
        try:
            provider = self.open_provider(settings)
            plan = self._plan(self.count_with(provider), provider)
            self.events.put(plan)
            if not self.live.over_budget_allowed:
                if not plan.fits:
                    return
                _refuse_broken(provider, plan)
            request = ChatRequest(settings.model, tuple(plan.included), settings.reserved_for_reply)
            sent = provider.prepare(request)
            rest = {name: value for name, value in sent.body.items() if name not in ("messages", "system")}
            self.events.put(Sent(rest, sent.sha256))
            stream = provider.stream(sent)
            for event in stream:
                self.events.put(event)
                if self.stopping.is_set():
                    break
            if isinstance(stream, Generator):
                stream.close()
        except Exception as error:  # noqa: BLE001 - handed to the owning thread, which raises it
            self.events.put(error)

    def _plan(self, ledger: TokenLedger, provider: Provider) -> ContextPlan:
        """What this turn sends; before that, the summary that it needs."""
        settings, about = self.live.settings, self.store.about(self.session_id)
        muted = about.muted if self.live.replaces is None else about.muted | {self.live.replaces}
        history = self.store.load(self.session_id)
        candidates = Candidates.gather(settings.system_prompt, history, self.live.prompt, ledger)
        summary, trouble = about.summary, None
        if settings.strategy == "summarize":
            wanted = wanted_summary(candidates, settings.window, settings.options, summary, muted, about.pinned)
            if wanted is not None:
                about, trouble = self._summarized(wanted, about, history, ledger, provider)
                summary = about.summary
        plan = plan_context(
            candidates, settings.window, settings.strategy, muted, about.pinned, settings.options, summary
        )
        return plan if trouble is None else replace(plan, fallback=f"{plan.fallback or ''} {trouble}".strip())

    def _summarized(
        self, wanted: WantedSummary, about: About, history: Sequence[Message], ledger: TokenLedger, provider: Provider
    ) -> tuple[About, str | None]:
        """The session with the summary it needs; as it was, with a word why, where that could not be made."""
        settings = self.live.settings
        self.events.put(Phase("summarizing"))
        try:
            writer = (
                settings
                if not settings.summary_provider
                else replace(settings, provider=settings.summary_provider, model=settings.summary_model)
            )
            by = provider if writer is settings else self.open_provider(writer)
            step = max(STEP_TOKENS, settings.max_tokens // 2) if writer is settings else STEP_TOKENS
            summarizer = Summarizer(by, writer.model, ledger.counter, step, lambda: not self.stopping.is_set())
            summary, made = summarizer.make(wanted, history)
            self.events.put(Phase("", made))
            kept = (*about.summaries, summary)
            self.store.keep_summaries(self.session_id, kept, self.live.id)
            return replace(about, summaries=kept), None
        except TurnLost:
            raise
        except ChatError as error:
            if self.stopping.is_set():
                raise
            self.events.put(Phase(""))
            return about, f"The summary could not be made: {error.what}"


def _refuse_broken(provider: Provider, plan: ContextPlan) -> None:
    """Raises RuleBroken where the provider would refuse the request for its shape: it is shown first, and not sent."""
    broken = refusals(provider.rules, plan.included) if provider.rules is not None else []
    if broken:
        first = broken[0]
        more = f" So do {len(broken) - 1} more." if len(broken) > 1 else ""
        raise RuleBroken(
            f"The request breaks a rule of {PROVIDERS[first.rule.provider]}, “{first.rule.title}”:"
            f" {first.sentence}{more} It would be refused, so it was not sent."
        )
