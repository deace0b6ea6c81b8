"""Anthropic's message threads: what is held between turns, and for how long.

A conversation is held for five minutes under the id of its last reply. Each reply can be continued once. Continuing one
that is unknown, expired, already continued or being continued is refused with the `error_code` that Anthropic's SDK
expects. Threads cannot be deleted or listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.replica.errors import Refused, anthropic_error
from lib.replica.http_values import Call, Clock, Json
from lib.replica.store import OVERHEAD, MessageThread, Store

BETA = "message-threads-2026-08-12"
IDLE_SECONDS = 300.0
"""How long a thread lives after its last reply."""
UNSUPPORTED = ("context_management", "fallbacks")
"""Fields that the replica cannot combine with a thread."""
FIXED = ("system", "tools")
"""Fields that a thread keeps; a continuation must not repeat them."""
MESSAGES = {
    "thread_not_found": (
        "No usable Thread state was found for `previous_message_id`. Replay the full conversation with `thread:"
        ' {"type": "create"}` to start a new Thread.'
    ),
    "thread_already_continued": (
        "The response that `previous_message_id` names has already been continued, and each response can be continued"
        " only once. Continue from the Thread's most recent response `id`."
    ),
    "thread_continue_in_flight": (
        "Another request is still continuing from the same `previous_message_id`. Wait for it to complete and continue"
        " from its response `id`."
    ),
}
"""Anthropic's message for each error code."""


@dataclass(frozen=True, slots=True)
class Threads:
    """The message threads in the store."""

    store: Store
    clock: Clock

    def thread_field(self, call: Call) -> Json | None:
        """The `thread` field of a request; None if it has none. Refuses what cannot be combined with a thread."""
        field = call.body.get("thread")
        if field is None:
            return None
        if BETA not in call.headers.get("anthropic-beta", ""):
            raise anthropic_error("thread: Extra inputs are not permitted")
        if not isinstance(field, dict) or field.get("type") not in ("create", "continue"):
            raise anthropic_error("thread.type: Input should be 'create' or 'continue'")
        unsupported = [name for name in UNSUPPORTED if call.body.get(name)]
        if unsupported:
            names = ", ".join(unsupported)
            message = f"`thread` cannot be combined with {names}. Send the full conversation without `thread`."
            details = {"error_code": "thread_unsupported_request", "unsupported": unsupported}
            raise anthropic_error(message, details=details)
        return field

    def occupy(self, field: Json, request: Json) -> MessageThread:
        """The thread to continue; it is busy until the turn ends. Refuses what cannot be continued."""
        repeated = [name for name in FIXED if request.get(name)]
        if repeated:
            raise anthropic_error(f"{repeated[0]}: must not be set when continuing a thread; the thread keeps it")
        thread = self.store.get(MessageThread, str(field.get("previous_message_id")))
        if thread is None or thread.expires_at <= self.clock():
            raise _error("thread_not_found", status=404, kind="not_found_error")
        if thread.busy:
            raise _error("thread_continue_in_flight")
        if thread.continued:
            raise _error("thread_already_continued")
        if request.get("model") != thread.model:
            message = (
                "The thread was created with another value of the differing field `model`. Send that value, or replay"
                ' the full conversation with `thread: {"type": "create"}`.'
            )
            raise anthropic_error(message, details={"error_code": "thread_fingerprint_mismatch"})
        thread.busy = True
        return thread

    def hold(self, id_: str, messages: list[Json], system: str, model: str, previous: MessageThread | None) -> None:
        """Hold a conversation under the id of its reply. The thread it continues cannot be continued again."""
        added = messages[len(previous.messages) :] if previous is not None else messages
        if previous is not None:
            previous.continued, previous.busy = True, False
        thread = MessageThread(
            id_, messages=messages, system=system, model=model, expires_at=self.clock() + IDLE_SECONDS
        )
        self.store.put(thread, sum(len(message["content"]) + OVERHEAD for message in added))
        self._drop_expired()

    def _drop_expired(self) -> None:
        for thread in self.store.all(MessageThread):
            if thread.expires_at <= self.clock() and not thread.busy:
                self.store.drop(thread.id)


def _error(code: str, **more: Any) -> Refused:
    return anthropic_error(MESSAGES[code], details={"error_code": code}, **more)
