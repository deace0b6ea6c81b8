"""Lane: a conversation kept in one way, with a thread of its own for its turns.

Whatever a server does (refuse, forget, hang) stays in its lane. A failed turn is kept with its reason, and the next
turn goes on from the last good handle. A lane stores nothing: it hands its handle to `handle_changed`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lib.errors import ChatError
from lib.messages import Message
from lib.providers import TextDelta
from lib.server_history import Approach, Deletion, Facts, Handle, ServerHistory, ServerTurn
from lib.server_history.reference import FACTS
from lib.server_history.sdk_values import exchange

log = logging.getLogger(__name__)

HandleChanged = Callable[[Approach, Handle], None]
"""Callback: the lane has a new handle, which its next turn goes on from."""


@dataclass(frozen=True, slots=True)
class LaneTurn:
    """One finished turn: its prompt, and either its `result` or its `error` (ChatError.to_dict()).

    `drill` says what was done on purpose before or during it; a drill without a prompt is only a note. `stored_items`
    is the number of items the server says it holds, None if it cannot be asked.
    """

    prompt: str
    result: ServerTurn | None = None
    error: Mapping[str, Any] | None = None
    drill: str = ""
    stored_items: int | None = None

    @property
    def reply(self) -> str:
        """The reply; empty if there is none."""
        return self.result.reply if self.result is not None else ""


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane at one moment. `pending_prompt` is being answered, with `partial_reply` so far."""

    approach: Approach
    turns: tuple[LaneTurn, ...]
    pending_prompt: str | None
    partial_reply: str
    handle: Handle | None
    deletion: Deletion | None = None
    earlier: tuple[Message, ...] = ()
    """The messages the server held before this lane began."""

    @property
    def busy(self) -> bool:
        """Whether a turn is being answered."""
        return self.pending_prompt is not None

    @property
    def transcript(self) -> list[Message]:
        """What the server should hold: the earlier messages and every answered exchange, in order."""
        answered = [exchange(turn.prompt, turn.reply) for turn in self.turns if turn.reply]
        return [*self.earlier, *(message for pair in answered for message in pair)]


@dataclass(slots=True)
class Lane:
    """One approach. Safe to read from any thread."""

    approach: Approach
    open_server_history: Callable[[], ServerHistory]
    system_prompt: str
    handle_changed: HandleChanged
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: list[LaneTurn] = field(default_factory=list)
    _pending_prompt: str | None = None
    _partial_reply: str = ""
    _handle: Handle | None = None
    _deletion: Deletion | None = None
    _earlier: tuple[Message, ...] | None = ()
    """None until they are read from the server."""

    @property
    def facts(self) -> Facts:
        """What a person should know about this approach."""
        return FACTS[self.approach]

    @property
    def state(self) -> LaneState:
        """The lane now."""
        with self._lock:
            return LaneState(
                self.approach,
                tuple(self._turns),
                self._pending_prompt,
                self._partial_reply,
                self._handle,
                self._deletion,
                self._earlier or (),
            )

    def resume(self, handle: Handle, earlier: Sequence[Message] | None = None) -> None:
        """Go on from a stored handle. `earlier` is what the server holds by now; None reads it before the first
        turn."""
        with self._lock:
            self._handle, self._earlier = handle, None if earlier is None else tuple(earlier)

    def ask(self, text: str, drill: str = "") -> bool:
        """Start a turn in a thread of its own. Returns False if the lane is busy."""
        return self._start(text, lambda: self._answer([text], drill))

    def run_script(self, texts: Sequence[str]) -> bool:
        """Ask these one after the other, until one fails. Returns False if the lane is busy or there are no texts."""
        return bool(texts) and self._start(texts[0], lambda: self._answer_in_turn(list(texts)))

    def ask_twice(self, texts: tuple[str, str], drill: str) -> bool:
        """Two writers at once: both turns start from the same handle. Returns False if the lane is busy."""
        return self._start(" / ".join(texts), lambda: self._answer(texts, drill))

    def delete(self) -> Deletion | None:
        """Delete what the server keeps, with proof; None if there is no handle. Raises ChatError."""
        handle = self.state.handle
        if handle is None:
            return None
        deletion = self.open_server_history().delete(handle)
        with self._lock:
            self._deletion = deletion
        return deletion

    def export(self) -> list[Message]:
        """What the server holds, read from it. Raises ChatError."""
        handle = self.state.handle
        return [] if handle is None else self.open_server_history().export(handle)

    def note(self, drill: str) -> None:
        """Add a line to the lane that says what was done on purpose."""
        self._finish(LaneTurn("", drill=drill))

    def _start(self, pending_prompt: str, work: Callable[[], None]) -> bool:
        """Run `work` in a thread, unless the lane is busy; it stays busy until the work ends."""

        def run() -> None:
            try:
                work()
            finally:
                self._set_pending(None)

        with self._lock:
            if self._pending_prompt is not None:
                return False
            self._pending_prompt, self._partial_reply, self._deletion = pending_prompt, "", None
        threading.Thread(target=run, daemon=True, name=f"lane-{self.approach}").start()
        return True

    def _answer_in_turn(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._set_pending(text)
            self._answer([text], "")
            if self.state.turns[-1].error is not None:
                break

    def _answer(self, texts: Sequence[str], drill: str) -> None:
        """Send these from the same handle, at once if there are several."""
        with self._failure_recorded(texts[0], drill):
            history = self.open_server_history()
            handle = self._ready_handle(history)
            if len(texts) == 1:
                self._send(history, handle, texts[0], drill)
                return
            threads = [
                threading.Thread(target=self._send, args=(history, handle, text, drill), daemon=True) for text in texts
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _ready_handle(self, history: ServerHistory) -> Handle:
        """The handle to go on from, created if there is none yet; the earlier messages are read if they are unknown."""
        handle = self.state.handle
        if handle is None:
            handle = history.create(self.system_prompt)
            self._set_handle(handle)
        if self._earlier is None:
            earlier = tuple(message for message in history.export(handle) if not message.is_system)
            with self._lock:
                self._earlier = earlier
        return handle

    def _send(self, history: ServerHistory, handle: Handle, text: str, drill: str) -> None:
        with self._failure_recorded(text, drill):
            for event in history.send(handle, text):
                if isinstance(event, TextDelta):
                    with self._lock:
                        self._partial_reply += event.text
                else:
                    self._set_handle(event.handle)
                    self._finish(LaneTurn(text, event, None, drill, _stored_items(history, event.handle)))

    @contextmanager
    def _failure_recorded(self, prompt: str, drill: str) -> Iterator[None]:
        """Run a part of a turn; an exception becomes a turn with an error."""
        try:
            yield
        except ChatError as error:
            self._finish(LaneTurn(prompt, None, error.to_dict(), drill))
        except Exception as error:
            log.exception("lane %s failed", self.approach)
            what = f"Something unexpected went wrong here ({type(error).__name__})."
            self._finish(LaneTurn(prompt, None, ChatError(what, safe="The other columns go on.").to_dict(), drill))

    def _finish(self, turn: LaneTurn) -> None:
        with self._lock:
            self._turns.append(turn)

    def _set_pending(self, prompt: str | None) -> None:
        with self._lock:
            self._pending_prompt, self._partial_reply = prompt, ""

    def _set_handle(self, handle: Handle) -> None:
        with self._lock:
            self._handle = handle
        self.handle_changed(self.approach, handle)


def _stored_items(history: ServerHistory, handle: Handle) -> int | None:
    """How many items the server says it holds; None if it cannot be asked."""
    stored_items = getattr(history, "stored_items", None)
    try:
        return None if stored_items is None else int(stored_items(handle))
    except ChatError:
        return None
