"""Answers one turn in a thread of its own.

Whatever happens to pages, tabs or the store, the prompt and everything that was streamed end up either committed or in
the live record. This thread owns the record: it writes the partial reply and a heartbeat every half second, and stops
for good when the record is no longer its own. A second thread (lib/chat/request_reader.py) counts, plans and reads
from the provider, so that neither a slow count nor a slow first token delays the heartbeat or Stop.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from lib.chat.request_reader import Event, Phase, ProviderOpener, RequestReader, Sent
from lib.context.plan import ContextPlan
from lib.errors import ChatError, ContentRefused, HistoryUnavailable, ProviderError, Stopped, TurnLost
from lib.history import HistoryStore
from lib.messages import assistant, user
from lib.providers import Provider, ReasoningDelta, Reply, TextDelta
from lib.spending.spending import Spending
from lib.tokens.ledger import TokenLedger
from lib.turns import LiveTurn, PlanSummary, Turn, TurnStatus

HEARTBEAT_SECONDS = 0.5
STORE_PATIENCE_SECONDS = 600.0
"""How long a finished reply waits in memory for a store that does not take it."""

CALLS_A_TOOL = ("tool_calls", "function_call", "tool_use")
"""Reasons for which a model stops without having answered."""

log = logging.getLogger(__name__)


class TurnWorker:
    """Answers one live turn. `live` is its latest state; `done` is set when nothing more will happen."""

    def __init__(
        self,
        store: HistoryStore,
        session_id: str,
        live: LiveTurn,
        open_provider: ProviderOpener,
        ledger_for: Callable[[Provider], TokenLedger],
        spending: Spending,
    ) -> None:
        self.live = live
        self.changed = threading.Condition()
        self.done = threading.Event()
        self.stopping = threading.Event()
        self._left = threading.Event()
        self._store = store
        self._session_id = session_id
        self._open_provider = open_provider
        self._ledger_for = ledger_for
        self._spending = spending
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._sent: Sent | None = None
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS

    def start(self) -> None:
        """Start answering. The live record must be in the store already."""
        threading.Thread(target=self._run, daemon=True, name=f"turn-{self.live.id}").start()

    def leave(self) -> None:
        """The app is shutting down: write the record once more, and nothing after that."""
        if not self.done.is_set():
            with suppress(ChatError):  # cleared meanwhile, or the store closed first: nobody is left to tell
                self._heartbeat()
        self._left.set()
        self.stopping.set()

    def _run(self) -> None:
        try:
            self._answer()
        except TurnLost:
            log.info("turn %s was cleared while it was answered", self.live.id)
        except ChatError as error:
            self._fail(error)
        except Exception as error:
            log.exception("turn %s failed", self.live.id)
            self._fail(ChatError(f"Something unexpected went wrong here ({type(error).__name__}).", next_step="Retry."))
        finally:
            self.stopping.set()  # the reader closes the provider's stream at its next event
            self.done.set()
            self._show(self.live)

    def _answer(self) -> None:
        reader = RequestReader(
            self._store,
            self._session_id,
            self.live,
            self._open_provider,
            self._ledger_for,
            self._spending,
            self._events,
            self.stopping,
        )
        threading.Thread(target=reader.run, daemon=True, name=f"read-{self.live.id}").start()
        for event in self._until_stopped():
            if isinstance(event, Reply):
                return self._commit(_worth_storing(event), "stopped" if event.stop_reason == "too_long" else "complete")
            if isinstance(event, ContextPlan):
                self._show(replace(self.live, plan=PlanSummary.of(event)))
            elif isinstance(event, Phase):
                self._show(replace(self.live, phase=event.name, summarized=event.summarized or self.live.summarized))
            elif isinstance(event, Sent):
                self._sent = event
            elif isinstance(event, TextDelta):
                first = self.live.first_token_ms
                since_start = (time.time() - self.live.started_at) * 1000
                self._show(replace(self.live, text=self.live.text + event.text, first_token_ms=first or since_start))
            elif isinstance(event, ReasoningDelta):
                self._show(replace(self.live, reasoning=self.live.reasoning + event.text))
            else:
                raise event
        if self._left.is_set():
            raise TurnLost("The app is shutting down; the turn stays in its record.")
        if not self.live.text.strip():
            raise Stopped("You stopped it before the first word came.")
        self._commit(Reply(self.live.text, model=self.live.settings.model, stop_reason="stopped"), "stopped")

    def _until_stopped(self) -> Iterator[Event]:
        """Yield events as they come, with a heartbeat in between. Ends when somebody asks to stop."""
        while not self.stopping.is_set():
            with suppress(queue.Empty):
                wait = min(0.1, max(0.0, self._next_heartbeat - time.monotonic())) or 0.001
                yield from self._with_waiting_text(self._events.get(timeout=wait))
            if time.monotonic() >= self._next_heartbeat:
                self._heartbeat()

    def _with_waiting_text(self, event: Event) -> Iterator[Event]:
        """The event itself; pieces of one kind that came meanwhile as one, since adding each to a long text copies
        it."""
        pieces: list[str] = []
        after: Event | None = event
        kind = ReasoningDelta if isinstance(event, ReasoningDelta) else TextDelta
        while isinstance(after, kind):
            pieces.append(after.text)
            after = None if self._events.empty() else self._events.get()
        if pieces:
            yield kind("".join(pieces))
        if after is not None:
            yield after

    def _heartbeat(self) -> None:
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        try:
            if self._store.heartbeat(self._session_id, self.live) == "stop":
                self.stopping.set()
        except HistoryUnavailable:
            log.warning("turn %s: the history store does not answer; the reply goes on in memory", self.live.id)

    def _commit(self, reply: Reply, status: TurnStatus) -> None:
        """Store the exchange. If the store does not take it, keep the reply in memory, say so, and try again."""
        turn = finished_turn(self.live, reply, status, self._sent)
        messages = [user(self.live.prompt), assistant(reply.text)]
        patience_ends = time.monotonic() + STORE_PATIENCE_SECONDS
        while not self._left.is_set():
            try:
                return self._store.commit(self._session_id, self.live.id, messages, turn)
            except HistoryUnavailable:
                if time.monotonic() > patience_ends:
                    raise
                self._show(replace(self.live, phase="storing"))
                self._left.wait(HEARTBEAT_SECONDS)

    def _fail(self, error: ChatError) -> None:
        """Leave the prompt, the partial reply and the error in the record, for the person to decide."""
        self._show(replace(self.live, error=error))
        patience_ends = time.monotonic() + STORE_PATIENCE_SECONDS
        while time.monotonic() < patience_ends and not self._left.is_set():
            try:
                self._store.heartbeat(self._session_id, self.live)
            except HistoryUnavailable:
                self._left.wait(HEARTBEAT_SECONDS)
                continue
            except TurnLost:
                log.info("turn %s was cleared before its failure could be stored", self.live.id)
            return

    def _show(self, live: LiveTurn) -> None:
        """Show a new state to the pages in this process that follow this turn."""
        with self.changed:
            self.live = live
            self.changed.notify_all()


def _worth_storing(reply: Reply) -> Reply:
    """Raise an error for a reply without words: most providers refuse a later request with an empty message in it."""
    if reply.text.strip():
        return reply
    if reply.stop_reason in CALLS_A_TOOL:
        raise ProviderError(
            "The model asked to call a tool instead of answering. Windowseat offers it none.",
            next_step="Retry, ask it to answer in words, or choose a model that does not call tools unasked.",
        )
    if reply.stop_reason == "refused":
        raise ContentRefused("The provider held the reply back by its content policy, so nothing came.")
    reason = f"the provider's reason: {reply.stop_reason or 'not reported'}"
    came = "holds nothing but blanks" if reply.text else "came back empty"
    step = "Retry, or reserve more tokens for the reply: hidden reasoning may have used them up."
    raise ProviderError(
        f"The reply {came} ({reason}).",
        next_step=step if reply.stop_reason in (None, "length", "end") else "Retry, or choose another model.",
    )


def finished_turn(live: LiveTurn, reply: Reply, status: TurnStatus, sent: Sent | None) -> Turn:
    """The record of a finished exchange."""
    return Turn(
        id=live.id,
        prompt=live.prompt,
        reply=reply.text,
        status=status,
        provider=live.settings.provider,
        model=reply.model or live.settings.model,
        system_prompt=live.settings.system_prompt,
        started_at=live.started_at,
        plan=live.plan,
        request=sent.request if sent else {},
        request_sha256=sent.sha256 if sent else None,
        usage=reply.usage,
        stop_reason=reply.stop_reason,
        request_id=reply.request_id,
        first_token_ms=live.first_token_ms,
        duration_ms=(time.time() - live.started_at) * 1000,
        replaces=live.replaces,
        summarized=live.summarized,
        note=reply.note,
        reasoning=reply.reasoning or live.reasoning,
        reply_id=reply.reply_id,
        cache_diagnosis=reply.cache_diagnosis,
    )
