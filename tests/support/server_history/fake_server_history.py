"""ForgetfulHistory: a ServerHistory that keeps conversations in memory, and fails or forgets on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from lib.errors import ConversationGone
from lib.messages import Message, Usage, assistant, user
from lib.providers import TextDelta
from lib.server_history import Approach, DeletedItem, Deletion, Facts, Handle, ServerTurn, ThreadSettings, Wire
from lib.server_history.reference import CONVERSATIONS
from tests.support.counters import WordCounter

WIRE_OVERHEAD = 30
"""Bytes it reports beside the text of a message."""


class ForgetfulHistory:
    """Answers "reply N to …". The input tokens it reports are the words it really held."""

    def __init__(self, approach: Approach = "conversations", settings: ThreadSettings | None = None) -> None:
        self.approach = approach
        self.settings = settings or ThreadSettings()
        self.held: dict[str, list[Message]] = {}
        self.gate: threading.Semaphore | None = None  # each turn waits for it
        self.failures: list[Exception] = []  # raised by the next turns, one each
        self.reports_usage = True
        self._lock = threading.Lock()

    @property
    def facts(self) -> Facts:
        return CONVERSATIONS

    def create(self, system_prompt: str) -> Handle:
        id_ = f"conv_{len(self.held) + 1}"
        self.held[id_] = []
        return Handle(self.approach, "words", system_prompt).plus(("conversation", id_))

    def adopt(self, system_prompt: str, messages: Sequence[Message]) -> Handle:
        handle = self.create(system_prompt)
        self.held[_id(handle)] += messages
        return handle

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        if self.failures:
            raise self.failures.pop(0)
        if _id(handle) not in self.held:
            raise ConversationGone(f"There is no {_id(handle)}.")
        if self.gate is not None:
            self.gate.acquire(timeout=30)
        with self._lock:
            counter, messages = WordCounter(), [*self.held[_id(handle)], user(text)]
            read = sum(counter.count_many(messages)) + counter.template(False)
            reply = f"reply {len(messages)} to {text}"
            self.held[_id(handle)] = [*messages, assistant(reply)]
        yield TextDelta(reply)
        usage = Usage(read, 0, None, 3) if self.reports_usage else Usage()
        wire = Wire("POST", "/x", len(text) + WIRE_OVERHEAD, None, 200, 5.0)
        yield ServerTurn(reply, handle, usage, (wire,), 4.0, 9.0)

    def stored_items(self, handle: Handle) -> int:
        return len(self.held[_id(handle)])

    def export(self, handle: Handle) -> list[Message]:
        return list(self.held[_id(handle)])

    def delete(self, handle: Handle) -> Deletion:
        known = self.held.pop(_id(handle), None) is not None
        return Deletion.of([DeletedItem("conversation", _id(handle), 200 if known else 404, 404)])

    def count(self, handle: Handle, text: str) -> int | None:
        return None


def _id(handle: Handle) -> str:
    return str(handle.last("conversation"))
