"""Comparison: one conversation through several approaches, side by side, and where their ids are kept.

The rule: a handle is kept with the session as soon as there is one, because no server can be asked for a list. Where that fails,
the turn goes on and the failure is said.
It leaves out drawing, and which server stands behind which column.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.errors import ChatError
from lib.messages import Message
from lib.server_history import Approach, Handle, ServerHistory, ThreadSettings
from lib.server_history.lane import Lane, State

Open = Callable[[Approach, ThreadSettings, bool], ServerHistory]
"""The adapter of an approach with these settings; True asks for the other account."""
LONGEST_REPLY = 256
"""Tokens: the least that an Assistants run may be limited to, and the same in every column, so that they can be compared."""
Keep = Callable[[Mapping[str, Any]], None]
"""Stores all handles of the session. May raise ChatError."""


@dataclass(slots=True)
class Comparison:
    """Columns at one endpoint. `where` names the endpoint; `handles` hold what was kept, by "where:approach"."""

    where: str
    system_prompt: str
    open_server_history: Open
    keep: Keep
    handles: dict[str, Any] = field(default_factory=dict)
    settings: ThreadSettings = field(default_factory=lambda: ThreadSettings(max_output_tokens=LONGEST_REPLY))
    trouble: str = ""
    columns: dict[Approach, Lane] = field(default_factory=dict)
    elsewhere: set[Approach] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def column(self, approach: Approach) -> Lane:
        """The column of this approach, made on first use; it goes on from a handle that was kept."""
        with self._lock:
            if approach not in self.columns:
                made = Lane(approach, lambda: self._open(approach), self.system_prompt, self._kept)
                stored = self.handles.get(self._key(approach))
                if stored is not None:
                    made.resume(Handle.from_dict(stored))
                self.columns[approach] = made
            return self.columns[approach]

    def states(self, approaches: Sequence[Approach]) -> list[State]:
        """Every column as it is now."""
        return [self.column(approach).state for approach in approaches]

    @property
    def busy(self) -> bool:
        """Whether any column is being answered."""
        return any(column.state.busy for column in list(self.columns.values()))

    def ask(self, approaches: Sequence[Approach], text: str) -> list[Approach]:
        """Ask all of these; those that did not take it, since they are being answered."""
        return [approach for approach in approaches if not self.column(approach).ask(text)]

    def script(self, approaches: Sequence[Approach], texts: Sequence[str]) -> None:
        """Have every column ask these one after the other."""
        for approach in approaches:
            self.column(approach).script(texts)

    def restart(self, approaches: Sequence[Approach]) -> None:
        """Begin anew: what the servers keep stays there until it is deleted."""
        with self._lock:
            for approach in approaches:
                self.columns.pop(approach, None)
                self.handles.pop(self._key(approach), None)
                self.elsewhere.discard(approach)
            self._store()

    def switch(self, approach: Approach) -> None:
        """Ask the other account from now on, or the first one again."""
        self.elsewhere ^= {approach}

    def store(self, approach: Approach, keep: bool) -> None:
        """Whether responses are stored from now on, in every column that has that choice."""
        self.settings = replace(self.settings, store=keep)

    def adopt(self, approach: Approach, handle: Handle, messages: Sequence[Message]) -> None:
        """A column of its own for a conversation that was just moved here."""
        with self._lock:
            self.columns.pop(approach, None)
        self.column(approach).resume(handle, messages)
        self._kept(approach, handle)

    def _open(self, approach: Approach) -> ServerHistory:
        return self.open_server_history(approach, self.settings, approach in self.elsewhere)

    def _key(self, approach: Approach) -> str:
        return f"{self.where}:{approach}"

    def _kept(self, approach: Approach, handle: Handle | None) -> None:
        with self._lock:
            if handle is None:
                self.handles.pop(self._key(approach), None)
            else:
                self.handles[self._key(approach)] = handle.to_dict()
            self._store()

    def _store(self) -> None:
        try:
            self.keep(self.handles)
            self.trouble = ""
        except ChatError as error:
            self.trouble = f"{error.what} The servers' ids are not stored just now: closing this page loses them."
