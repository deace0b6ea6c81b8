"""ChatService: everything a page can ask of a conversation.

Sending stores the prompt before the provider is called, and a turn belongs to a thread (lib/chat/turn_worker.py), never
to the page that started it. Any tab, in any process on the same store, can follow a turn, stop it or decide about it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from lib.chat.request_reader import ProviderOpener
from lib.chat.turn_worker import HEARTBEAT_SECONDS, STORE_PATIENCE_SECONDS, TurnWorker, finished_turn
from lib.chat_settings import ChatSettings
from lib.errors import ChatError, HistoryUnavailable
from lib.history import HistoryStore
from lib.messages import Message, assistant, user
from lib.providers import Provider, Reply
from lib.spending.spending import Spending
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.turns import LiveTurn, Summarized

DRAW_SECONDS = 0.1
"""Seconds between two states that a follower sees. More than ten a second would not help a screen."""
POLL_SECONDS = 0.3
LONGEST_WAIT_SECONDS = 0.4
"""A follower returns at least this often, even if nothing changed, so that its page can be interrupted."""
NO_FIELDS: Mapping[str, Any] = MappingProxyType({})
LEDGERS = 256
"""Token ledgers kept in memory; the one used longest ago goes first."""

CounterOpener = Callable[[ChatSettings, Provider | None], TokenCounter]
"""The counter for these settings. With a provider it may ask the provider's server; without one it asks nobody."""


class ChatService:
    """One per app process, shared by every page and thread. Without `counter_of`, sizes are characters / 4."""

    def __init__(
        self,
        store: HistoryStore,
        counter_of: CounterOpener = lambda settings, provider: ESTIMATE,
        spending: Spending | None = None,
    ) -> None:
        self.store = store
        self.spending = spending or Spending(store)
        self.counter_of = counter_of
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._workers: dict[str, TurnWorker] = {}
        self._ledgers: OrderedDict[tuple[str, str], TokenLedger] = OrderedDict()

    def send(
        self,
        session_id: str,
        prompt: str,
        settings: ChatSettings,
        open_provider: ProviderOpener,
        *,
        replaces: int | None = None,
        instead_of: str | None = None,
        over_budget_allowed: bool = False,
        summarized: Summarized | None = None,
        fields: Mapping[str, Any] = NO_FIELDS,
        via: str = "",
    ) -> LiveTurn:
        """Store the prompt as the session's live turn and start answering it.

        `replaces` mutes the exchange that starts at this stored index once the new one is stored. `instead_of` is the
        id of an interrupted turn that this one retries; `summarized` is the cost of a summary made for it. `fields` are
        sent in the body besides the provider's own, or instead of them. `via` is "http" for a message from the HTTP
        routes. Raises TurnInProgress, HistoryUnavailable or CorruptHistory; then nothing was stored.
        """
        self.store.load(session_id)  # an unreadable history must be reported before anything starts
        live = LiveTurn(
            prompt,
            settings,
            self._owner,
            time.time(),
            replaces=replaces,
            over_budget_allowed=over_budget_allowed,
            summarized=summarized,
            fields=dict(fields),
            via=via,
        )
        self._begin(session_id, live, instead_of)
        self._answer(session_id, live, open_provider)
        return live

    def _answer(self, session_id: str, live: LiveTurn, open_provider: ProviderOpener) -> None:
        """Start the thread that answers a stored live turn."""
        worker = TurnWorker(
            self.store,
            session_id,
            live,
            open_provider,
            lambda provider: self.ledger(session_id, self.counter_of(live.settings, provider)),
            self.spending,
        )
        with self._lock:
            self._workers = {sid: running for sid, running in self._workers.items() if not running.done.is_set()}
            self._workers[session_id] = worker
        worker.start()

    def _begin(self, session_id: str, live: LiveTurn, instead_of: str | None) -> None:
        """Store the live turn. If the answer is lost, the store may have it, though we say that it was refused: then it
        is taken back. Not if it replaced an interrupted turn, because it is now the only record of that message.
        """
        try:
            self.store.begin(session_id, live, instead_of=instead_of)
        except HistoryUnavailable:
            if instead_of is None:
                threading.Thread(
                    target=self._take_back, args=(session_id, live.id), daemon=True, name=f"take-back-{live.id}"
                ).start()
            raise

    def _take_back(self, session_id: str, live_id: str) -> None:
        """Remove a live turn that the person was told was refused, as soon as the store answers."""
        patience_ends = time.monotonic() + STORE_PATIENCE_SECONDS
        while time.monotonic() < patience_ends and not self._closing.is_set():
            try:
                self.store.discard(session_id, live_id)
            except HistoryUnavailable:
                self._closing.wait(HEARTBEAT_SECONDS)
            except ChatError:  # the record cannot be read: opening the chat says so
                return
            else:
                return

    def retry(
        self,
        session_id: str,
        interrupted: LiveTurn,
        settings: ChatSettings,
        open_provider: ProviderOpener,
        *,
        over_budget_allowed: bool = False,
        via: str = "",
    ) -> LiveTurn:
        """Send an interrupted turn's prompt again, with today's settings."""
        return self.send(
            session_id,
            interrupted.prompt,
            settings,
            open_provider,
            replaces=interrupted.replaces,
            instead_of=interrupted.id,
            over_budget_allowed=over_budget_allowed,
            summarized=interrupted.summarized,
            fields=interrupted.fields,
            via=via,
        )

    def keep(self, session_id: str, interrupted: LiveTurn) -> None:
        """Store an interrupted turn with the part of the reply that arrived. Raises ChatError if it has no words."""
        if not interrupted.text.strip():
            raise ChatError("There is no reply to keep.", next_step="Retry, edit or discard the message.")
        turn = finished_turn(interrupted, Reply(interrupted.text, stop_reason="interrupted"), "stopped", None)
        self.store.commit(session_id, interrupted.id, [user(interrupted.prompt), assistant(interrupted.text)], turn)

    def discard(self, session_id: str, interrupted: LiveTurn) -> None:
        """Remove an interrupted turn with its prompt."""
        self.store.discard(session_id, interrupted.id)

    def import_messages(
        self, session_id: str, messages: Sequence[Message], settings: ChatSettings, source: str
    ) -> None:
        """Store messages from elsewhere in a session, with its settings and a record of their source.

        No request is made. Raises TurnInProgress, CorruptHistory or HistoryUnavailable; then no message was stored.
        """
        self.store.import_messages(session_id, messages, source)
        self.store.save_settings(session_id, settings.to_dict())

    def undo_summary(self, session_id: str) -> None:
        """Remove the newest summary, so that the one before it is used again. The messages are still stored."""
        self.store.keep_summaries(session_id, self.store.about(session_id).summaries[:-1])

    def stop(self, session_id: str) -> None:
        """Stop the live turn and store what arrived. Takes effect at once if this process answers it."""
        worker = self._here(session_id)
        if worker is not None:
            worker.stopping.set()
            return
        live = self.store.live(session_id)
        if live is not None:
            self.store.request_stop(session_id, live.id)

    def live(self, session_id: str) -> LiveTurn | None:
        """The session's live turn in its latest state, even if interrupted."""
        worker = self._here(session_id)
        return worker.live if worker is not None else self.store.live(session_id)

    def follow(self, session_id: str, live_id: str) -> Iterator[LiveTurn]:
        """Yield states of a live turn until it ends or is interrupted, two to ten a second."""
        worker = self._here(session_id)
        if worker is None or worker.live.id != live_id:
            yield from self._follow_elsewhere(session_id, live_id)
            return
        while not worker.done.is_set() and not worker.live.interrupted:
            with worker.changed:
                worker.changed.wait(LONGEST_WAIT_SECONDS)
            yield worker.live
            worker.done.wait(DRAW_SECONDS)
        yield worker.live

    def _follow_elsewhere(self, session_id: str, live_id: str) -> Iterator[LiveTurn]:
        """The same for a turn that another process answers: read its record."""
        pause = threading.Event()
        while (live := self.store.live(session_id)) is not None and live.id == live_id and not live.interrupted:
            yield live
            pause.wait(POLL_SECONDS)

    def close(self) -> None:
        """Shut down: leave live turns in their records and close the store."""
        self._closing.set()
        with self._lock:
            workers = list(self._workers.values())
        for worker in workers:
            worker.leave()
        self.store.close()

    def _here(self, session_id: str) -> TurnWorker | None:
        with self._lock:
            worker = self._workers.get(session_id)
        return None if worker is None or worker.done.is_set() else worker

    def ledger(self, session_id: str, counter: TokenCounter) -> TokenLedger:
        """The session's token ledger for this counter."""
        key = (session_id, counter.name)
        with self._lock:
            ledger = self._ledgers.get(key)
            if ledger is None or ledger.counter is not counter:
                ledger = self._ledgers[key] = TokenLedger(counter)
            self._ledgers.move_to_end(key)
            if len(self._ledgers) > LEDGERS:
                self._ledgers.popitem(last=False)
            return ledger
