"""GatedChat: the chat service as one person may use it, with what their sessions have spent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from lib.access import Right
from lib.access.gate import Gate, gated_store
from lib.chat.request_reader import ProviderOpener
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import NotYours
from lib.messages import Message
from lib.spending import Caps, Spent
from lib.spending.meter import Meter
from lib.spending.spending import Spending
from lib.tokens import TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.turns import LiveTurn


class GatedSpending(Spending):
    """What sessions have spent, for their owners. Every method raises NotYours for others."""

    def __init__(self, gate: Gate, spending: Spending) -> None:
        self.limits = spending.limits
        self._gate = gate
        self._spending = spending

    def meter(self, session_id: str) -> Meter:
        self._gate.check(session_id, Right.WRITE)
        return self._spending.meter(session_id)

    def meter_of_run(self, owner: str, run_id: str, cap: Decimal | None) -> Meter:
        if owner != self._gate.person.id:
            raise NotYours("This run belongs to someone else.")
        return self._spending.meter_of_run(owner, run_id, cap)

    def spent(self, session_id: str) -> tuple[Spent, Spent]:
        self._gate.check(session_id, Right.OWN)
        return self._spending.spent(session_id)

    def caps(self, session_id: str) -> Caps:
        self._gate.check(session_id, Right.OWN)
        return self._spending.caps(session_id)

    def set_caps(self, session_id: str, caps: Caps) -> None:
        self._gate.check(session_id, Right.OWN)
        self._spending.set_caps(session_id, caps)


class GatedChat(ChatService):
    """For one request, or one run of a page. Turns and ledgers stay with the service that everybody shares.

    Every method asks the gate first, and raises NotYours. None of the inherited ones is used.
    """

    def __init__(self, gate: Gate, chat: ChatService) -> None:
        self.gate = gate
        self.store = gated_store(gate, chat.store)
        self.counter_of = chat.counter_of
        self.spending = GatedSpending(gate, chat.spending)
        self._chat = chat

    def send(
        self, session_id: str, prompt: str, settings: ChatSettings, open_provider: ProviderOpener, **options: Any
    ) -> LiveTurn:
        self.gate.check(session_id, Right.WRITE)
        return self._chat.send(session_id, prompt, settings, open_provider, **options)

    def retry(
        self,
        session_id: str,
        interrupted: LiveTurn,
        settings: ChatSettings,
        open_provider: ProviderOpener,
        **options: Any,
    ) -> LiveTurn:
        self.gate.check(session_id, Right.WRITE)
        return self._chat.retry(session_id, interrupted, settings, open_provider, **options)

    def keep(self, session_id: str, interrupted: LiveTurn) -> None:
        self.gate.check(session_id, Right.WRITE)
        self._chat.keep(session_id, interrupted)

    def discard(self, session_id: str, interrupted: LiveTurn) -> None:
        self.gate.check(session_id, Right.WRITE)
        self._chat.discard(session_id, interrupted)

    def import_messages(
        self, session_id: str, messages: Sequence[Message], settings: ChatSettings, source: str
    ) -> None:
        self.gate.check(session_id, Right.WRITE)
        self._chat.import_messages(session_id, messages, settings, source)

    def undo_summary(self, session_id: str) -> None:
        self.gate.check(session_id, Right.WRITE)
        self._chat.undo_summary(session_id)

    def stop(self, session_id: str) -> None:
        self.gate.check(session_id, Right.WRITE)
        self._chat.stop(session_id)

    def live(self, session_id: str) -> LiveTurn | None:
        self.gate.check(session_id, Right.READ)
        return self._chat.live(session_id)

    def follow(self, session_id: str, live_id: str) -> Iterator[LiveTurn]:
        self.gate.check(session_id, Right.READ)
        for state in self._chat.follow(session_id, live_id):
            self.gate.check(session_id, Right.READ)
            yield state

    def ledger(self, session_id: str, counter: TokenCounter) -> TokenLedger:
        self.gate.check(session_id, Right.READ)
        return self._chat.ledger(session_id, counter)

    def close(self) -> None:
        """Nothing: the service is everybody's."""
