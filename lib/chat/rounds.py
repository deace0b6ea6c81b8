"""Asks several chats the same messages at once, each in a thread of its own.

A chat that fails stops alone: its other messages wait until a person retries or discards the failed one. Chats whose
models run on this machine are answered one after the other, because together they would slow each other down and their
times would say nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib.chat.request_reader import ProviderOpener
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.turns import LiveTurn

WAIT_SECONDS = 0.1
"""How often a chat that waits for the machine looks whether a person stopped it."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One chat that is asked. `on_this_machine` is whether its model shares this machine with others."""

    session_id: str
    settings: ChatSettings
    open_provider: ProviderOpener
    on_this_machine: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a chat is doing: the messages that wait, and whether it is being asked, waits for the machine, or failed."""

    waiting: tuple[str, ...] = ()
    busy: bool = False
    waits_for_machine: bool = False
    error: ChatError | None = None


IDLE = Standing()


@dataclass(slots=True)
class _Queue:
    """The messages of one chat, and the thread that sends them."""

    prompts: deque[str] = field(default_factory=deque)
    thread: threading.Thread | None = None
    held_up: str | None = None
    """The message that waits for the machine."""
    error: ChatError | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def standing(self) -> Standing:
        first = () if self.held_up is None else (self.held_up,)
        return Standing((*first, *self.prompts), self.thread is not None, self.held_up is not None, self.error)


class Rounds:
    """The chats that this process asks together. Any thread may use it."""

    def __init__(self, chat: ChatService) -> None:
        self._chat = chat
        self._lock = threading.Lock()
        self._machine = threading.Lock()
        self._queues: dict[str, _Queue] = {}
        self._closed = False

    def ask(self, entrants: Sequence[Entrant], prompts: Sequence[str]) -> None:
        """Send these messages to all of them, in order, and return at once. A chat that is busy sends them afterwards;
        one that failed keeps them until it is retried. Raises HistoryUnavailable; then nothing was sent."""
        live = [self._chat.live(entrant.session_id) for entrant in entrants]
        for entrant, held in zip(entrants, live, strict=True):
            with self._lock:
                queue = self._queue_of(entrant.session_id, held)
                queue.prompts.extend(prompts)
                self._start(entrant, queue)

    def retry(self, entrant: Entrant) -> None:
        """Send the message that failed again, and then those that wait. Raises HistoryUnavailable."""
        held = self._chat.live(entrant.session_id)
        with self._lock:
            queue = self._queue_of(entrant.session_id, held)
            queue.error = None
            self._start(entrant, queue)

    def discard(self, session_id: str) -> None:
        """Remove the message that failed, and those that wait behind it. Raises HistoryUnavailable."""
        live = self._chat.live(session_id)
        if live is not None and live.interrupted:
            self._chat.discard(session_id, live)
        with self._lock:
            queue = self._queues.get(session_id)
            if queue is not None and queue.thread is None:
                queue.prompts.clear()
                queue.error = None

    def stop(self, session_id: str) -> None:
        """End the reply that is being written, and forget the messages that wait. What came of the reply is stored."""
        with self._lock:
            queue = self._queues.get(session_id)
            if queue is not None:
                queue.prompts.clear()
                queue.stopping.set()
        self._chat.stop(session_id)

    def standing(self, session_id: str) -> Standing:
        """What this process knows of a chat; IDLE for one that it never asked."""
        with self._lock:
            queue = self._queues.get(session_id)
            return IDLE if queue is None else queue.standing()

    def close(self) -> None:
        """Send nothing more. For the app's end, before its ChatService is closed."""
        with self._lock:
            self._closed = True
            for queue in self._queues.values():
                queue.prompts.clear()
                queue.stopping.set()

    def _queue_of(self, session_id: str, held: LiveTurn | None) -> _Queue:
        """The chat's queue. One that begins with a turn that was interrupted, as after a restart of the app, waits for
        a person. With the lock held."""
        queue = self._queues.setdefault(session_id, _Queue())
        if queue.thread is None and not queue.prompts and held is not None and held.interrupted:
            queue.prompts.append(held.prompt)
            queue.error = held.error or ChatError("The reply broke off.", safe="The message is stored.")
        return queue

    def _start(self, entrant: Entrant, queue: _Queue) -> None:
        """Start the chat's thread if it has something to send. With the lock held."""
        if queue.thread is not None or queue.error is not None or not queue.prompts or self._closed:
            return
        name = f"round-{entrant.session_id}"
        queue.thread = threading.Thread(target=self._run, args=(entrant, queue), daemon=True, name=name)
        queue.thread.start()

    def _run(self, entrant: Entrant, queue: _Queue) -> None:
        """Send what waits, one by one, until one fails. An error becomes the chat's standing."""
        while (prompt := self._next(queue)) is not None:
            error = self._send(entrant, queue, prompt)
            with self._lock:
                if error is not None and not queue.stopping.is_set():
                    queue.prompts.appendleft(prompt)
                    queue.error = error

    def _next(self, queue: _Queue) -> str | None:
        """The next message to send. Without one, the thread ends."""
        with self._lock:
            queue.stopping.clear()  # a stop has emptied the queue: what is in it now was asked later
            if queue.error is None and queue.prompts and not self._closed:
                return queue.prompts.popleft()
            queue.thread = None
            return None

    def _send(self, entrant: Entrant, queue: _Queue, prompt: str) -> ChatError | None:
        """Send one message once the machine is free, and wait for its reply. Returns what ended it."""
        if entrant.on_this_machine and not self._machine_is_free(queue, prompt):
            return None
        try:
            return self._ask(entrant, queue, prompt)
        except ChatError as error:
            return error
        finally:
            if entrant.on_this_machine:
                self._machine.release()

    def _machine_is_free(self, queue: _Queue, prompt: str) -> bool:
        """Wait for the machine and take it; False if somebody stopped the chat meanwhile."""
        queue.held_up = prompt
        while not queue.stopping.is_set():
            if self._machine.acquire(timeout=WAIT_SECONDS):
                queue.held_up = None
                return True
        queue.held_up = None
        return False

    def _ask(self, entrant: Entrant, queue: _Queue, prompt: str) -> ChatError | None:
        session_id, held = entrant.session_id, self._chat.live(entrant.session_id)
        instead_of = held.id if held is not None and held.interrupted else None
        live = self._chat.send(session_id, prompt, entrant.settings, entrant.open_provider, instead_of=instead_of)
        if queue.stopping.is_set():  # a stop that came before there was anything to stop
            self._chat.stop(session_id)
        for _ in self._chat.follow(session_id, live.id):
            pass
        left = self._chat.store.live(session_id)
        return None if left is None else left.error
