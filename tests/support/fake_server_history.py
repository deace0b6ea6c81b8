"""ForgetfulHistory: a ServerHistory that keeps what it is told in memory, and fails or forgets when a test says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from lib.errors import ConversationGone
from lib.messages import Message, Usage, assistant, user
from lib.providers import TextDelta
from lib.server_history import Approach, DeletedItem, Deletion, Facts, Handle, ServerTurn, ThreadSettings, Wire
from lib.server_history.reference import CONVERSATIONS
from tests.support.counters import WordCounter


class ForgetfulHistory:
    """Answers "reply N to …"; reports as read what it really held, in words."""

    def __init__(self, approach: Approach = "conversations", settings: ThreadSettings | None = None) -> None:
        self.approach = approach
        self.settings = settings or ThreadSettings()
        self.held: dict[str, list[Message]] = {}
        self.gate: threading.Semaphore | None = None
        self.fails: list[Exception] = []
        self.reports = True
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
        self.held[str(handle.last("conversation"))] += messages
        return handle

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        id_ = str(handle.last("conversation"))
        if self.fails:
            raise self.fails.pop(0)
        if id_ not in self.held:
            raise ConversationGone(f"There is no {id_}.")
        if self.gate is not None:
            self.gate.acquire(timeout=30)
        with self._lock:
            counter, said = WordCounter(), [*self.held[id_], user(text)]
            read = sum(counter.count_many(said)) + counter.template(False)
            reply = f"reply {len(said)} to {text}"
            self.held[id_] = [*said, assistant(reply)]
        yield TextDelta(reply)
        usage = Usage(read, 0, None, 3) if self.reports else Usage()
        yield ServerTurn(reply, handle, usage, (Wire("POST", "/x", len(text) + 30, None, 200, 5.0),), 4.0, 9.0)

    def stored_items(self, handle: Handle) -> int:
        return len(self.held[str(handle.last("conversation"))])

    def export(self, handle: Handle) -> list[Message]:
        return list(self.held[str(handle.last("conversation"))])

    def delete(self, handle: Handle) -> Deletion:
        id_ = str(handle.last("conversation"))
        there = self.held.pop(id_, None)
        return Deletion.of([DeletedItem("conversation", id_, 200 if there is not None else 404, 404)])

    def count(self, handle: Handle, text: str) -> int | None:
        return None
