"""Sends the questions of a stored conversation again, to another model or with other settings, as a new session.

A replay runs in a thread of its own and sends one question after the other, as a person would. How far it came is
seen from what the new session holds, so a replay that was stopped, or whose app was restarted, can go on.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from lib.chat.request_reader import ProviderOpener
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history.sessions import Parent
from lib.messages import Message
from lib.tool_calls import opens_exchange

State = Literal["running", "done", "stopped", "failed"]
NO_SETTINGS = ChatSettings("", "", "", 0, 0, "")
"""What a session's stored settings are read into. A replay stores all of them when it begins."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay has come: `done` of `total` questions were answered. `error` is why it failed."""

    session_id: str
    source_id: str
    done: int
    total: int
    state: State
    error: ChatError | None = None


def questions_of(history: Sequence[Message], muted: Set[int] = frozenset()) -> list[str]:
    """What a replay sends: the person's messages, without muted exchanges, tool results and messages without text.

    Example: questions_of([user("a"), assistant("b"), user("c")], {0}) -> ["c"]
    """
    return [
        message.text
        for index, message in enumerate(history)
        if index not in muted and opens_exchange(message) and message.text.strip()
    ]


class Replays:
    """The replays of this process."""

    def __init__(self, chat: ChatService) -> None:
        self._chat = chat
        self._lock = threading.Lock()
        self._progress: dict[str, Progress] = {}
        self._cancelled: dict[str, threading.Event] = {}

    def start(self, source_id: str, settings: ChatSettings, open_provider: ProviderOpener, title: str = "") -> Progress:
        """Begin a new session that replays another one with these settings, and return at once.

        Raises ChatError if there is nothing to replay, CorruptHistory, or HistoryUnavailable.
        """
        store, session_id = self._chat.store, uuid.uuid4().hex
        history, about = store.load(source_id), store.about(source_id)
        if not questions_of(history, about.muted):
            raise ChatError(
                "This chat has no messages of a person that could be sent again.",
                safe="Nothing was stored or sent.",
                next_step="Choose another chat.",
            )
        store.save_settings(session_id, settings.to_dict())
        store.rename(session_id, title or f"Replay of “{about.title or 'a chat without a title'}”")
        store.set_parent(session_id, Parent(source_id, len(history), "replay"))
        return self.go_on(session_id, open_provider)

    def go_on(self, session_id: str, open_provider: ProviderOpener) -> Progress:
        """Send the questions that are still to be sent, and return at once. A question that failed is sent again.

        Raises ChatError if the session is no replay, or if the conversation that it replays is gone.
        """
        with self._lock:
            held = self._progress.get(session_id)
            if held is not None and held.state == "running":
                return held
        progress, questions = self._where(session_id)
        cancelled = threading.Event()
        with self._lock:
            self._cancelled[session_id] = cancelled
        self._show(progress)
        threading.Thread(
            target=self._run,
            args=(progress, questions, open_provider, cancelled),
            daemon=True,
            name=f"replay-{session_id}",
        ).start()
        return progress

    def find(self, session_id: str) -> Progress | None:
        """A replay that runs, or ran, in this process."""
        with self._lock:
            return self._progress.get(session_id)

    def cancel(self, session_id: str) -> None:
        """Stop a replay. What came of the reply that is being written is stored."""
        with self._lock:
            cancelled = self._cancelled.get(session_id)
        if cancelled is not None:
            cancelled.set()
            self._chat.stop(session_id)

    def close(self) -> None:
        """Send nothing more. For the app's end, before its ChatService is closed."""
        with self._lock:
            for cancelled in self._cancelled.values():
                cancelled.set()

    def _where(self, session_id: str) -> tuple[Progress, list[str]]:
        """How far the stored session has come, and all questions of its replay."""
        store = self._chat.store
        parent = store.about(session_id).parent
        if parent is None or parent.how != "replay":
            raise ChatError("This chat is not a replay.", safe="Nothing was sent.", next_step="Start a new replay.")
        history = store.load(parent.session_id)[: parent.messages]
        questions = questions_of(history, store.about(parent.session_id).muted)
        done = len(store.turns(session_id))
        if not questions:
            raise ChatError(
                "The chat that it replays is gone, so its questions are not known any more.",
                safe=f"The {done} answered questions are stored.",
                next_step="Go on by hand, or replay another chat.",
            )
        return Progress(session_id, parent.session_id, done, len(questions), "running"), questions

    def _run(
        self, progress: Progress, questions: Sequence[str], open_provider: ProviderOpener, cancelled: threading.Event
    ) -> None:
        """Send the rest, one by one, until one fails or somebody cancels. Errors become the progress's state."""
        try:
            settings = NO_SETTINGS.updated(self._chat.store.about(progress.session_id).settings)
            for question in questions[progress.done :]:
                if cancelled.is_set() or not self._ask(progress.session_id, question, settings, open_provider):
                    break
                progress = replace(progress, done=progress.done + 1)
                self._show(progress)
        except ChatError as error:
            self._show(replace(progress, state="stopped" if cancelled.is_set() else "failed", error=error))
        else:
            self._show(replace(progress, state="done" if progress.done >= progress.total else "stopped"))

    def _ask(self, session_id: str, question: str, settings: ChatSettings, open_provider: ProviderOpener) -> bool:
        """Send one question and wait for its reply; whether it was stored. Raises what ended it."""
        held = self._chat.live(session_id)
        instead_of = held.id if held is not None and held.interrupted else None
        live = self._chat.send(session_id, question, settings, open_provider, instead_of=instead_of)
        for _ in self._chat.follow(session_id, live.id):
            pass
        left = self._chat.store.live(session_id)
        if left is not None and left.error is not None:
            raise left.error
        return left is None

    def _show(self, progress: Progress) -> None:
        with self._lock:
            self._progress[progress.session_id] = progress
