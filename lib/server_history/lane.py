"""Columns: the same conversation through several approaches at once, each at its own pace.

The rule: every column has a thread of its own and its own handle, and what one server does (refuse, forget, hang) stays in its
column. A turn that fails is kept with its reason, and the column goes on from where it was. Nothing is stored here; handles
are given to whoever keeps them.
It leaves out numbers over several turns (lib/server_history/ledger.py) and drawing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.errors import ChatError
from lib.messages import Message, Usage, assistant, user
from lib.providers import TextDelta
from lib.server_history import Approach, Deletion, Facts, Handle, ServerHistory, ServerTurn
from lib.server_history.reference import FACTS

log = logging.getLogger(__name__)

Opener = Callable[[], ServerHistory]
Kept = Callable[[Approach, Handle | None], None]
"""Told the handle a column goes on from, whenever it changes; None once it is deleted."""


@dataclass(frozen=True, slots=True)
class Done:
    """One turn that is over: what was asked, and what came. `error` is ChatError.to_dict() where nothing did.

    `drill` names what was done on purpose before or during it; `stored_items` is how many items the server says it holds.
    """

    asked: str
    turn: ServerTurn | None = None
    error: Mapping[str, Any] | None = None
    drill: str = ""
    stored_items: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A column as it is now. `transcript` is what should be held: every exchange that was answered."""

    approach: Approach
    done: tuple[Done, ...]
    asking: str | None
    text: str
    handle: Handle | None
    deletion: Deletion | None = None
    before: tuple[Message, ...] = ()
    """What the server held already when this column began here."""

    @property
    def busy(self) -> bool:
        return self.asking is not None

    @property
    def transcript(self) -> list[Message]:
        """What is to be held: what was there before, and what was said and answered, in order."""
        pairs = [(each.asked, each.turn.reply) for each in self.done if each.turn is not None and each.turn.reply]
        return [*self.before, *(message for asked, reply in pairs for message in (user(asked), assistant(reply)))]


@dataclass(slots=True)
class Lane:
    """One approach. Safe to read from any thread."""

    approach: Approach
    open_server_history: Opener
    system_prompt: str
    kept: Kept
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: list[Done] = field(default_factory=list)
    _asking: str | None = None
    _text: str = ""
    _handle: Handle | None = None
    _deletion: Deletion | None = None
    _before: tuple[Message, ...] | None = ()
    """None where the server has to be asked first."""

    @property
    def facts(self) -> Facts:
        """What to know about this approach."""
        return FACTS[self.approach]

    @property
    def state(self) -> State:
        with self._lock:
            return State(
                self.approach,
                tuple(self._done),
                self._asking,
                self._text,
                self._handle,
                self._deletion,
                self._before or (),
            )

    def resume(self, handle: Handle, before: Sequence[Message] | None = None) -> None:
        """Go on from a handle that was kept; `before` is what the server holds by now, asked from it where that is None."""
        with self._lock:
            self._handle, self._before = handle, None if before is None else tuple(before)

    def ask(self, text: str, drill: str = "") -> bool:
        """Begin a turn in a thread of its own; whether it was taken: not while one is being answered."""
        with self._lock:
            if self._asking is not None:
                return False
            self._asking, self._text, self._deletion = text, "", None
        threading.Thread(target=self._run, args=([text], drill), daemon=True, name=f"column-{self.approach}").start()
        return True

    def script(self, texts: Sequence[str]) -> bool:
        """Ask these one after the other, until one fails; whether it was taken."""
        with self._lock:
            if self._asking is not None or not texts:
                return False
            self._asking, self._text, self._deletion = texts[0], "", None
        threading.Thread(target=self._follow, args=(list(texts),), daemon=True, name=f"column-{self.approach}").start()
        return True

    def ask_twice(self, texts: tuple[str, str], drill: str) -> bool:
        """Two writers at once: both turns begin from the same place."""
        with self._lock:
            if self._asking is not None:
                return False
            self._asking, self._text, self._deletion = " / ".join(texts), "", None
        threading.Thread(
            target=self._run, args=(list(texts), drill), daemon=True, name=f"column-{self.approach}"
        ).start()
        return True

    def delete(self) -> Deletion | None:
        """Delete what the server keeps, with the proof; None where nothing was begun. Raises ChatError."""
        with self._lock:
            handle = self._handle
        if handle is None:
            return None
        deletion = self.open_server_history().delete(handle)
        with self._lock:
            self._deletion = deletion
        return deletion

    def export(self) -> list[Message]:
        """What the server holds, read from it. Raises ChatError."""
        with self._lock:
            handle = self._handle
        return [] if handle is None else self.open_server_history().export(handle)

    def note(self, drill: str) -> None:
        """Say in the column that something was done on purpose."""
        with self._lock:
            self._done.append(Done("", None, None, drill))

    def _follow(self, texts: Sequence[str]) -> None:
        """A script, turn by turn. The column stays busy in between."""
        for place, text in enumerate(texts):
            with self._lock:
                self._asking, self._text = text, ""
            self._run([text], "", last=place == len(texts) - 1)
            with self._lock:
                failed = bool(self._done) and self._done[-1].error is not None
            if failed:
                break
        with self._lock:
            self._asking, self._text = None, ""

    def _run(self, texts: Sequence[str], drill: str, *, last: bool = True) -> None:
        try:
            history = self.open_server_history()
            with self._lock:
                handle = self._handle
            if handle is None:
                handle = history.create(self.system_prompt)
                self._keep(handle)
            if self._before is None:
                held = [message for message in history.export(handle) if not message.is_system]
                with self._lock:
                    self._before = tuple(held)
            if len(texts) == 1:
                self._one(history, handle, texts[0], drill)
                return
            threads = [
                threading.Thread(target=self._one, args=(history, handle, text, drill), daemon=True) for text in texts
            ]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
        except ChatError as error:
            self._failed(texts[0], error, drill)
        except Exception as error:
            log.exception("column %s failed", self.approach)
            self._failed(texts[0], _ours(error), drill)
        finally:
            if last:
                with self._lock:
                    self._asking, self._text = None, ""

    def _one(self, history: ServerHistory, handle: Handle, text: str, drill: str) -> None:
        """One turn from this handle on."""
        try:
            for event in history.send(handle, text):
                if isinstance(event, TextDelta):
                    with self._lock:
                        self._text += event.text
                else:
                    self._keep(event.handle)
                    items = _stored_items(history, event.handle)
                    with self._lock:
                        self._done.append(Done(text, event, None, drill, items))
        except ChatError as error:
            self._failed(text, error, drill)
        except Exception as error:
            log.exception("column %s failed", self.approach)
            self._failed(text, _ours(error), drill)

    def _keep(self, handle: Handle) -> None:
        with self._lock:
            self._handle = handle
        self.kept(self.approach, handle)

    def _failed(self, text: str, error: ChatError, drill: str) -> None:
        with self._lock:
            self._done.append(Done(text, None, error.to_dict(), drill))


def _stored_items(history: ServerHistory, handle: Handle) -> int | None:
    """How many items the server says it holds, where it can be asked."""
    ask = getattr(history, "stored_items", None)
    try:
        return None if ask is None else int(ask(handle))
    except ChatError:
        return None


def _ours(error: Exception) -> ChatError:
    return ChatError(f"Something unexpected went wrong here ({type(error).__name__}).", safe="The other columns go on.")


def usage_of(done: Done) -> Usage:
    """As the server reported it; all unknown where nothing came."""
    return done.turn.usage if done.turn is not None else Usage()
