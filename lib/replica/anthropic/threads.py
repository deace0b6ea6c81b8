"""Anthropic's message threads: what is held between turns, and for how long.

What for: a conversation that is held under the id of its last reply for five minutes. The rule: a reply is continued once;
whoever continues a reply that is unknown, expired, continued already or being continued is told so by `error_code`, as
Anthropic's SDK expects. It leaves out a delete and a list: there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.replica.http_values import Call, Json, Refused, claude_refuse
from lib.replica.store import WEIGHT, Held, Store

BETA = "message-threads-2026-08-12"
IDLE_SECONDS = 300.0
"""How long a thread lives after its last reply."""
UNSUPPORTED = ("context_management", "fallbacks")
"""Fields that this replica cannot combine with a thread."""
FIXED = ("system", "tools")
"""Fields that a thread keeps; a continuation must not repeat them."""
REASONS = {
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


class Threads:
    """Message threads in the store."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def wanted(self, call: Call) -> Json | None:
        """The thread field of a request, None where it has none. Refuses what cannot be threaded."""
        wanted = call.body.get("thread")
        if wanted is None:
            return None
        if BETA not in call.headers.get("anthropic-beta", ""):
            raise claude_refuse("thread: Extra inputs are not permitted")
        if not isinstance(wanted, dict) or wanted.get("type") not in ("create", "continue"):
            raise claude_refuse("thread.type: Input should be 'create' or 'continue'")
        found = [name for name in UNSUPPORTED if call.body.get(name)]
        if found:
            what = f"`thread` cannot be combined with {', '.join(found)}. Send the full conversation without `thread`."
            raise claude_refuse(what, details={"error_code": "thread_unsupported_request", "unsupported": found})
        return wanted

    def take(self, wanted: Json, request: Json) -> Held:
        """The reply to continue from, in use until `release`."""
        repeated = [name for name in FIXED if request.get(name)]
        if repeated:
            raise claude_refuse(f"{repeated[0]}: must not be set when continuing a thread; the thread keeps it")
        found = self._store.get(Held, str(wanted.get("previous_message_id")))
        if found is None or found.expires_at <= self._clock():
            raise _refused("thread_not_found", status=404, kind="not_found_error")
        if found.busy:
            raise _refused("thread_continue_in_flight")
        if found.continued:
            raise _refused("thread_already_continued")
        if request.get("model") != found.model:
            what = (
                "The thread was created with another value of the differing field `model`. Send that value, or replay"
                ' the full conversation with `thread: {"type": "create"}`.'
            )
            raise claude_refuse(what, details={"error_code": "thread_fingerprint_mismatch"})
        found.busy = True
        return found

    def hold(self, identifier: str, messages: list[Json], system: str, model: str, previous: Held | None) -> None:
        """Keep a conversation up to a reply; the one it continues is used up."""
        added = messages[len(previous.messages) :] if previous is not None else messages
        if previous is not None:
            previous.continued, previous.busy = True, False
        held = Held(identifier, messages=messages, system=system, model=model, expires_at=self._clock() + IDLE_SECONDS)
        self._store.put(held, sum(len(message["content"]) + WEIGHT for message in added))
        self._sweep()

    def _sweep(self) -> None:
        for held in self._store.all(Held):
            if held.expires_at <= self._clock() and not held.busy:
                self._store.drop(held.id)


def _refused(code: str, **more: Any) -> Refused:
    return claude_refuse(REASONS[code], details={"error_code": code}, **more)
