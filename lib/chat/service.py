"""ChatService: everything a page can ask of a conversation.

The rule: sending stores the prompt before anyone is called, and a turn belongs to a thread (lib/chat/turn_worker.py), never to
the page that started it. Pages follow; any tab, in any process on the same store, can follow, stop or decide.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from lib.chat.request_reader import ProviderOpener
from lib.chat.turn_worker import TurnWorker, finished_turn
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history import HistoryStore
from lib.messages import Message, assistant, system, user
from lib.providers import ChatRequest, Provider, Reply
from lib.tokens import ESTIMATE, TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.turns import LiveTurn, PlanSummary, Summarized, Turn

DRAW_SECONDS = 0.1
"""Followers see at most one state in this time: a screen gains nothing from more than ten a second."""
POLL_SECONDS = 0.3
BEAT_OR_DRAW = 0.4
"""A follower returns at least this often even if nothing changed, so that its page can be interrupted (seconds)."""
LEDGERS = 256

CounterOpener = Callable[[ChatSettings, Provider | None], TokenCounter]
"""Who counts for these settings. With a provider, its server may be asked; without one, nobody is asked anything."""


class ChatService:
    """One per app process, shared by every page and thread. Without `counter_of`, sizes are characters / 4."""

    def __init__(self, store: HistoryStore, counter_of: CounterOpener = lambda settings, provider: ESTIMATE) -> None:
        self.store = store
        self.counter_of = counter_of
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._lock = threading.Lock()
        self._answering: dict[str, TurnWorker] = {}
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
    ) -> LiveTurn:
        """Store the prompt as the session's live turn and start answering it.

        `replaces` mutes the exchange that begins at this stored index once the new one is stored; `instead_of` retries
        an interrupted turn, whose `summarized` is kept. Raises TurnInProgress, HistoryUnavailable or CorruptHistory: then nothing was stored.
        """
        self.store.load(session_id)  # a history that cannot be read is said before anything is begun
        live = LiveTurn(
            prompt,
            settings,
            self._owner,
            time.time(),
            replaces=replaces,
            over_budget_allowed=over_budget_allowed,
            summarized=summarized,
        )
        self.store.begin(session_id, live, instead_of=instead_of)
        answering = TurnWorker(
            self.store,
            session_id,
            live,
            open_provider,
            lambda provider: self.ledger(session_id, self.counter_of(settings, provider)),
        )
        with self._lock:
            self._answering = {sid: turn for sid, turn in self._answering.items() if not turn.done.is_set()}
            self._answering[session_id] = answering
        answering.start()
        return live

    def retry(
        self,
        session_id: str,
        interrupted: LiveTurn,
        settings: ChatSettings,
        open_provider: ProviderOpener,
        *,
        over_budget_allowed: bool = False,
    ) -> LiveTurn:
        """Send an interrupted turn's prompt again, with the settings as they are now."""
        return self.send(
            session_id,
            interrupted.prompt,
            settings,
            open_provider,
            replaces=interrupted.replaces,
            instead_of=interrupted.id,
            over_budget_allowed=over_budget_allowed,
            summarized=interrupted.summarized,
        )

    def keep(self, session_id: str, interrupted: LiveTurn) -> None:
        """Store an interrupted turn with what came of its reply."""
        turn = finished_turn(interrupted, Reply(interrupted.text, stop_reason="interrupted"), "stopped", None)
        self.store.commit(session_id, interrupted.id, [user(interrupted.prompt), assistant(interrupted.text)], turn)

    def discard(self, session_id: str, interrupted: LiveTurn) -> None:
        """Forget an interrupted turn, prompt and all."""
        self.store.discard(session_id, interrupted.id)

    def undo_summary(self, session_id: str) -> None:
        """Take back the newest summary; the one before it is in force again. The messages it stood for were never gone."""
        self.store.keep_summaries(session_id, self.store.about(session_id).summaries[:-1])

    def stop(self, session_id: str) -> None:
        """Ask whoever answers to stop and store what came so far. At once where it is answered in this process."""
        answering = self._here(session_id)
        if answering is not None:
            answering.stopping.set()
            return
        live = self.store.live(session_id)
        if live is not None:
            self.store.request_stop(session_id, live.id)

    def live(self, session_id: str) -> LiveTurn | None:
        """The session's live turn in its latest state, interrupted ones included."""
        answering = self._here(session_id)
        return answering.live if answering is not None else self.store.live(session_id)

    def follow(self, session_id: str, live_id: str) -> Iterator[LiveTurn]:
        """States of a live turn until it is over or interrupted, at most ten a second, at least two a second."""
        answering = self._here(session_id)
        if answering is None or answering.live.id != live_id:
            yield from self._follow_elsewhere(session_id, live_id)
            return
        while not answering.done.is_set() and not answering.live.interrupted:
            with answering.changed:
                answering.changed.wait(BEAT_OR_DRAW)
            yield answering.live
            answering.done.wait(DRAW_SECONDS)
        yield answering.live

    def _follow_elsewhere(self, session_id: str, live_id: str) -> Iterator[LiveTurn]:
        """The same, for a turn that another process answers: read from its record."""
        pause = threading.Event()
        while (live := self.store.live(session_id)) is not None and live.id == live_id and not live.interrupted:
            yield live
            pause.wait(POLL_SECONDS)

    def close(self) -> None:
        """The app is going: leave what is being answered in its record, and give back the store."""
        with self._lock:
            answering = list(self._answering.values())
        for turn in answering:
            turn.leave()
        self.store.close()

    def _here(self, session_id: str) -> TurnWorker | None:
        with self._lock:
            answering = self._answering.get(session_id)
        return None if answering is None or answering.done.is_set() else answering

    def ledger(self, session_id: str, counter: TokenCounter) -> TokenLedger:
        """The session's counts by this counter, kept for the sessions used last."""
        key = (session_id, counter.name)
        with self._lock:
            ledger = self._ledgers.get(key)
            if ledger is None or ledger.counter is not counter:
                ledger = self._ledgers[key] = TokenLedger(counter)
            self._ledgers.move_to_end(key)
            if len(self._ledgers) > LEDGERS:
                self._ledgers.popitem(last=False)
            return ledger


def messages_of(plan: PlanSummary, system_prompt: str, prompt: str, history: Sequence[Message]) -> list[Message]:
    """The messages a plan sends, from the stored history."""
    candidates = [*history[: plan.stored], user(prompt)]
    sent = [candidates[at] for start, stop, included, _ in plan.runs if included for at in range(start, stop)]
    preamble = [system(system_prompt)] if plan.system_tokens is not None else []
    preamble += [plan.summary.message] if plan.summary is not None else []
    return [*preamble, *sent]


def rebuild_request(turn: Turn, history: Sequence[Message]) -> ChatRequest | None:
    """The request a turn sent, from the stored history and the turn's record; None where it cannot be rebuilt.

    The new message is taken from the turn itself, so that a history which was trimmed by another service since then
    is noticed by its other messages, not hidden.
    """
    plan = turn.plan
    limit = turn.request.get("max_tokens", turn.request.get("max_completion_tokens"))
    if plan is None or not isinstance(limit, int) or plan.stored > len(history):
        return None
    messages = messages_of(plan, turn.system_prompt, turn.prompt, history)
    return ChatRequest(str(turn.request.get("model", turn.model)), tuple(messages), limit)


def matches_what_was_sent(turn: Turn, history: Sequence[Message], provider: Provider) -> bool | None:
    """Whether the request rebuilt from the stored history has the recorded SHA-256; None where there is no record."""
    request = rebuild_request(turn, history)
    if request is None or turn.request_sha256 is None:
        return None
    try:
        return provider.prepare(request).sha256 == turn.request_sha256
    except ChatError:
        return False
