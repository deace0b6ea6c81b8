"""Comparison: one conversation through several approaches side by side, each in a lane of its own.

Handles are stored with the session as soon as they exist, because no server can list its conversations, and the turns
with them, so that the page can be opened again. If storing fails, the turn goes on and `storage_warning` says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from lib.errors import ChatError
from lib.messages import Message
from lib.server_history import Approach, Handle, ServerHistory, ThreadSettings
from lib.server_history.lane import Lane, LaneState
from lib.server_history.lane_turn import UNREADABLE

OpenServerHistory = Callable[[Approach, ThreadSettings, bool], ServerHistory]
"""Opens the adapter of an approach with these settings; True asks for the second account."""
SaveHandles = Callable[[Mapping[str, Any]], None]
"""Stores all handles of the session. May raise ChatError."""
REPLY_TOKENS = 256
"""Limit of a reply in tokens: the smallest that an Assistants run accepts, and the same in every lane for
comparability."""


@dataclass(slots=True)
class Comparison:
    """The lanes at one place. `handles` holds Lane.to_dict() by "place:approach", those of other places included.

    With `in_turns`, lanes that share one model answer one after the other.
    """

    place: str
    system_prompt: str
    open_server_history: OpenServerHistory
    save_handles: SaveHandles
    handles: dict[str, Any] = field(default_factory=dict)
    settings: ThreadSettings = field(default_factory=lambda: ThreadSettings(max_output_tokens=REPLY_TOKENS))
    in_turns: bool = False
    storage_warning: str = ""
    second_account: set[Approach] = field(default_factory=set)
    """The approaches that use the second account."""
    _lanes: dict[Approach, Lane] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lane(self, approach: Approach) -> Lane:
        """The lane of this approach, created on first use. It goes on from its stored handle, if there is one."""
        with self._lock:
            if approach not in self._lanes:
                lane = Lane(approach, lambda: self._open(approach), self.system_prompt, self._changed)
                stored = self.handles.get(self._key(approach))
                if stored is not None:
                    with suppress(*UNREADABLE):  # a handle that something else wrote cannot be gone on from
                        lane.restore(stored)
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
        self.run_script(approaches, [text])

    def run_script(self, approaches: Sequence[Approach], texts: Sequence[str]) -> None:
        """Have every lane ask these one after the other, until one fails; a busy lane asks nothing."""
        lanes = [lane for lane in map(self.lane, approaches) if texts and lane.reserve(texts[0])]
        for group in [lanes] if self.in_turns else [[lane] for lane in lanes]:
            threading.Thread(target=_take_turns, args=(group, list(texts)), daemon=True, name="lanes").start()

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
        self._changed(approach)

    def _open(self, approach: Approach) -> ServerHistory:
        return self.open_server_history(approach, self.settings, approach in self.second_account)

    def _key(self, approach: Approach) -> str:
        return f"{self.place}:{approach}"

    def _changed(self, approach: Approach) -> None:
        with self._lock:
            lane = self._lanes.get(approach)
            stored = None if lane is None else lane.to_dict()
            if stored is not None:
                self.handles[self._key(approach)] = stored
                self._save()

    def _save(self) -> None:
        try:
            self.save_handles(self.handles)
            self.storage_warning = ""
        except ChatError as error:
            self.storage_warning = (
                f"{error.what} The servers' ids are not being stored: closing this page would lose them."
            )


def _take_turns(lanes: Sequence[Lane], texts: Sequence[str]) -> None:
    """Send each text through every lane before the next text. A lane whose turn failed asks nothing more."""
    going = list(lanes)
    try:
        for text, following in zip(texts, [*texts[1:], None], strict=True):
            for lane in list(going):
                answered = lane.answer(text)
                lane.expect(following if answered else None)
                if not answered:
                    going.remove(lane)
    except BaseException:
        for lane in going:
            lane.expect(None)
        raise
