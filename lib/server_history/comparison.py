"""Comparison: one conversation through several approaches side by side, each in a lane of its own.

Handles are stored with the session as soon as they exist, because no server can list its conversations. If storing
fails, the turn goes on and `storage_warning` says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.errors import ChatError
from lib.messages import Message
from lib.server_history import Approach, Handle, ServerHistory, ThreadSettings
from lib.server_history.lane import Lane, LaneState

OpenServerHistory = Callable[[Approach, ThreadSettings, bool], ServerHistory]
"""Opens the adapter of an approach with these settings; True asks for the second account."""
SaveHandles = Callable[[Mapping[str, Any]], None]
"""Stores all handles of the session. May raise ChatError."""
REPLY_TOKENS = 256
"""Limit of a reply in tokens: the smallest that an Assistants run accepts, and the same in every lane for
comparability."""


@dataclass(slots=True)
class Comparison:
    """The lanes at one place. `handles` holds Handle.to_dict() by "place:approach", those of other places included."""

    place: str
    system_prompt: str
    open_server_history: OpenServerHistory
    save_handles: SaveHandles
    handles: dict[str, Any] = field(default_factory=dict)
    settings: ThreadSettings = field(default_factory=lambda: ThreadSettings(max_output_tokens=REPLY_TOKENS))
    storage_warning: str = ""
    second_account: set[Approach] = field(default_factory=set)
    """The approaches that use the second account."""
    _lanes: dict[Approach, Lane] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lane(self, approach: Approach) -> Lane:
        """The lane of this approach, created on first use. It goes on from its stored handle, if there is one."""
        with self._lock:
            if approach not in self._lanes:
                lane = Lane(approach, lambda: self._open(approach), self.system_prompt, self._handle_changed)
                stored = self.handles.get(self._key(approach))
                if stored is not None:
                    lane.resume(Handle.from_dict(stored))
                self._lanes[approach] = lane
            return self._lanes[approach]

    def states(self, approaches: Sequence[Approach]) -> list[LaneState]:
        """The lanes of these approaches now."""
        return [self.lane(approach).state for approach in approaches]

    @property
    def busy(self) -> bool:
        """Whether any lane is being answered."""
        return any(lane.state.busy for lane in list(self._lanes.values()))

    def ask(self, approaches: Sequence[Approach], text: str) -> None:
        """Send one message through all of these; a busy lane does not take it."""
        for approach in approaches:
            self.lane(approach).ask(text)

    def run_script(self, approaches: Sequence[Approach], texts: Sequence[str]) -> None:
        """Have every lane ask these one after the other."""
        for approach in approaches:
            self.lane(approach).run_script(texts)

    def restart(self, approaches: Sequence[Approach]) -> None:
        """Start over with empty lanes. What servers keep stays there until it is deleted."""
        with self._lock:
            for approach in approaches:
                self._lanes.pop(approach, None)
                self.handles.pop(self._key(approach), None)
                self.second_account.discard(approach)
            self._save()

    def switch_account(self, approach: Approach) -> None:
        """Use the second account from now on, or the first one again."""
        self.second_account ^= {approach}

    def set_store(self, store: bool) -> None:
        """Whether servers store responses from now on, in every lane with that choice."""
        self.settings = replace(self.settings, store=store)

    def adopt(self, approach: Approach, handle: Handle, messages: Sequence[Message]) -> None:
        """Replace the lane of this approach by one that goes on from a conversation just moved to the server."""
        with self._lock:
            self._lanes.pop(approach, None)
        self.lane(approach).resume(handle, messages)
        self._handle_changed(approach, handle)

    def _open(self, approach: Approach) -> ServerHistory:
        return self.open_server_history(approach, self.settings, approach in self.second_account)

    def _key(self, approach: Approach) -> str:
        return f"{self.place}:{approach}"

    def _handle_changed(self, approach: Approach, handle: Handle) -> None:
        with self._lock:
            self.handles[self._key(approach)] = handle.to_dict()
            self._save()

    def _save(self) -> None:
        try:
            self.save_handles(self.handles)
            self.storage_warning = ""
        except ChatError as error:
            self.storage_warning = (
                f"{error.what} The servers' ids are not being stored: closing this page would lose them."
            )
