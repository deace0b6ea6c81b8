"""Lane: a conversation kept in one way, with a thread of its own for its turns.

Whatever a server does (refuse, forget, hang) stays in its lane. A failed turn is kept with its reason, and the next
turn goes on from the last good handle. A lane stores nothing: it says that it `changed`, and others store `to_dict`.
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
from lib.server_history import Approach, Deletion, Facts, Handle, ServerHistory
from lib.server_history.lane_turn import UNREADABLE, Gone, LaneTurn
from lib.server_history.reference import FACTS
from lib.server_history.sdk_values import exchange

log = logging.getLogger(__name__)

Changed = Callable[[Approach], None]
"""Callback: the lane has a new handle or another turn."""


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
    """The messages the server held before the first of these turns."""
    stored_before: int = 0
    """How many of the turns were read from the store when this lane was opened."""
    earlier_known: bool = True
    """False until the earlier messages were read from the server."""

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
    changed: Changed
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: list[LaneTurn] = field(default_factory=list)
    _pending_prompt: str | None = None
    _partial_reply: str = ""
    _handle: Handle | None = None
    _deletion: Deletion | None = None
    _earlier: tuple[Message, ...] | None = ()
    """None until they are read from the server."""
    _stored_before: int = 0

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
                self._stored_before,
                self._earlier is not None,
            )

    def resume(self, handle: Handle, earlier: Sequence[Message] | None = None) -> None:
        """Go on from a stored handle. `earlier` is what the server holds by now; None reads it before the first
        turn."""
        with self._lock:
            self._handle, self._earlier = handle, None if earlier is None else tuple(earlier)

    def to_dict(self) -> dict[str, Any] | None:
        """The JSON by which another process goes on; None if there is no handle yet."""
        state = self.state
        if state.handle is None:
            return None
        known = [message.to_dict() for message in state.earlier] if state.earlier_known else None
        return {**state.handle.to_dict(), "earlier": known, "turns": [turn.to_dict() for turn in state.turns]}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Go on from what `to_dict` wrote. Turns that cannot be read are left out, and read from the server later."""
        handle = Handle.from_dict(stored)
        try:
            turns = [LaneTurn.from_dict(turn, handle) for turn in stored["turns"]]
            earlier = None if stored["earlier"] is None else tuple(map(Message.from_dict, stored["earlier"]))
        except UNREADABLE:
            turns, earlier = [], None
        with self._lock:
            self._handle, self._turns, self._earlier, self._stored_before = handle, turns, earlier, len(turns)

    def ask(self, text: str, drill: str = "", gone: Gone = "") -> bool:
        """Start a turn in a thread of its own. Returns False if the lane is busy."""
        return self._start(text, lambda: self._answer([text], drill, gone))

    def ask_twice(self, texts: tuple[str, str], drill: str) -> bool:
        """Two writers at once: both turns start from the same handle. Returns False if the lane is busy."""
        return self._start(" / ".join(texts), lambda: self._answer(texts, drill))

    def reserve(self, text: str) -> bool:
        """Make the lane busy with this message before `answer`. Returns False if it is busy already."""
        with self._lock:
            if self._pending_prompt is not None:
                return False
            self._pending_prompt, self._partial_reply, self._deletion = text, "", None
            return True

    def answer(self, text: str) -> bool:
        """Send one message on this thread, in a lane that was reserved. Returns whether the turn was answered."""
        self.expect(text)
        self._answer([text], "")
        return self.state.turns[-1].error is None

    def expect(self, text: str | None) -> None:
        """Show this message as the one that is next; None says that the lane is no longer busy."""
        with self._lock:
            self._pending_prompt, self._partial_reply = text, ""

    def delete(self) -> Deletion | None:
        """Delete what the server keeps, with proof; None if there is no handle. Raises ChatError."""
        handle = self.state.handle
        if handle is None:
            return None
        deletion = self.open_server_history().delete(handle)
        with self._lock:
            self._deletion = deletion
        self.note(deletion.sentence, "deleted" if deletion.proven else "")
        return deletion

    def export(self) -> list[Message]:
        """What the server holds, read from it. Raises ChatError."""
        handle = self.state.handle
        return [] if handle is None else self.open_server_history().export(handle)

    def read_back(self) -> None:
        """Read from the server what it held before this lane began. Raises ChatError."""
        handle = self.state.handle
        if handle is not None:
            self._read_earlier(self.open_server_history(), handle)

    def note(self, drill: str, gone: Gone = "") -> None:
        """Add a line to the lane that says what was done on purpose, and what it did to everything before it."""
        self._finish(LaneTurn("", drill=drill, gone=gone))

    def _start(self, pending_prompt: str, work: Callable[[], None]) -> bool:
        """Run `work` in a thread, unless the lane is busy; it stays busy until the work ends."""

        def run() -> None:
            try:
                work()
            finally:
                self.expect(None)

        if not self.reserve(pending_prompt):
            return False
        threading.Thread(target=run, daemon=True, name=f"lane-{self.approach}").start()
        return True

    def _answer(self, texts: Sequence[str], drill: str, gone: Gone = "") -> None:
        """Send these from the same handle, at once if there are several."""
        with self._failure_recorded(texts[0], drill, gone):
            history = self.open_server_history()
            handle = self._ready_handle(history)
            if len(texts) == 1:
                self._send(history, handle, texts[0], drill, gone)
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
            self._read_earlier(history, handle)
        return handle

    def _read_earlier(self, history: ServerHistory, handle: Handle) -> None:
        earlier = tuple(message for message in history.export(handle) if not message.is_system)
        with self._lock:
            self._earlier = earlier

    def _send(self, history: ServerHistory, handle: Handle, text: str, drill: str, gone: Gone = "") -> None:
        with self._failure_recorded(text, drill, gone):
            for event in history.send(handle, text):
                if isinstance(event, TextDelta):
                    with self._lock:
                        self._partial_reply += event.text
                else:
                    self._set_handle(event.handle)  # stored before anything else can fail
                    self._finish(LaneTurn(text, event, None, drill, _stored_items(history, event.handle), gone))

    @contextmanager
    def _failure_recorded(self, prompt: str, drill: str, gone: Gone = "") -> Iterator[None]:
        """Run a part of a turn; an exception becomes a turn with an error."""
        try:
            yield
        except ChatError as error:
            self._finish(LaneTurn(prompt, None, error.to_dict(), drill, gone=gone))
        except Exception as error:
            log.exception("lane %s failed", self.approach)
            what = f"Something unexpected went wrong here ({type(error).__name__})."
            failed = ChatError(what, safe="The other columns go on.").to_dict()
            self._finish(LaneTurn(prompt, None, failed, drill, gone=gone))

    def _finish(self, turn: LaneTurn) -> None:
        with self._lock:
            self._turns.append(turn)
        self.changed(self.approach)

    def _set_handle(self, handle: Handle) -> None:
        with self._lock:
            self._handle = handle
        self.changed(self.approach)


def _stored_items(history: ServerHistory, handle: Handle) -> int | None:
    """How many items the server says it holds; None if it cannot be asked."""
    try:
        return int(history.stored_items(handle)) if hasattr(history, "stored_items") else None
    except ChatError:
        return None
