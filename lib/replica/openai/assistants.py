"""OpenAI's Assistants v2: assistants, threads and messages.

What for: the threads that OpenAI shut down on 26 August 2026, to try what they did. The rule: words, ids and shapes are those
of the API as it was. It leaves out tools, files and lists of assistants; runs are in runs.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib.replica.http_values import (
    FINGERPRINT,
    Answer,
    Call,
    Json,
    Route,
    metadata,
    only_text,
    page,
    parts_text,
    refuse,
    short_id,
    text,
)
from lib.replica.store import MOST_OF_ONE, WEIGHT, Assistant, Store, Thread


def thread_of(store: Store, call: Call) -> Thread:
    """The thread a request names. Refuses an unknown one, and a request without the beta header."""
    check_beta(call)
    found = store.get(Thread, call.path["thread"])
    if found is None:
        raise refuse(f"No thread found with id '{call.path['thread']}'.", status=404)
    return found


def assistant_of(store: Store, identifier: Any) -> Assistant:
    """An assistant. Refuses an unknown one."""
    if not isinstance(identifier, str):
        raise refuse(
            "Missing required parameter: 'assistant_id'.", param="assistant_id", code="missing_required_parameter"
        )
    found = store.get(Assistant, identifier)
    if found is None:
        raise refuse(f"No assistant found with id '{identifier}'.", status=404)
    return found


def check_beta(call: Call) -> None:
    """Refuse a request that does not say assistants=v2."""
    if "assistants=v2" not in call.headers.get("openai-beta", ""):
        what = (
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the"
            " header 'OpenAI-Beta: assistants=v2'."
        )
        raise refuse(what, code="invalid_beta")


def message_text(message: Json) -> str:
    """The text of a kept message."""
    return "".join(part["text"]["value"] for part in message["content"])


def new_message(thread: str, role: str, value: str, now: float, **more: Any) -> Json:
    """A message as it is kept."""
    content = [{"type": "text", "text": {"value": value, "annotations": []}}] if value else []
    return {
        "id": short_id("msg"),
        "object": "thread.message",
        "created_at": int(now),
        "thread_id": thread,
        "role": role,
        "content": content,
        "status": "completed",
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "completed_at": None,
        "incomplete_at": None,
        "incomplete_details": None,
        "metadata": {},
        "system_fingerprint": FINGERPRINT,
        **more,
    }


def given_message(thread: str, given: Any, now: float, param: str = "") -> Json:
    """A message of a request."""
    if not isinstance(given, dict) or given.get("role") not in ("user", "assistant"):
        role = given.get("role") if isinstance(given, dict) else given
        what = f"Invalid value: '{role}'. Supported values are: 'user' and 'assistant'."
        raise refuse(what, param=f"{param}role", code="invalid_value")
    value = parts_text(given.get("content"), ("text",), f"{param}content")
    if not value:
        raise refuse("Message content must be non-empty.", param=f"{param}content")
    return new_message(thread, given["role"], value, now, metadata=metadata(given))


def new_thread(store: Store, given: Json, now: float) -> Thread:
    """A thread with the messages of a request, kept."""
    identifier = short_id("thread")
    entries = given.get("messages") or []
    messages = [given_message(identifier, entry, now, f"messages[{place}].") for place, entry in enumerate(entries)]
    body = {
        "id": identifier,
        "object": "thread",
        "created_at": int(now),
        "metadata": metadata(given),
        "tool_resources": {},
        "system_fingerprint": FINGERPRINT,
    }
    thread = Thread(identifier, body=body, messages=messages)
    store.put(thread, sum(len(message_text(message)) + WEIGHT for message in messages))
    return thread


class Assistants:
    """The endpoints below /v1/assistants and /v1/threads, without runs."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        assistant, thread = "/v1/assistants/{assistant}", "/v1/threads/{thread}"
        return [
            ("POST", "/v1/assistants", self.create_assistant),
            ("GET", assistant, self.retrieve_assistant),
            ("DELETE", assistant, self.delete_assistant),
            ("POST", "/v1/threads", self.create),
            ("GET", thread, self.retrieve),
            ("DELETE", thread, self.delete),
            ("POST", thread + "/messages", self.add),
            ("GET", thread + "/messages", self.listing),
            ("GET", thread + "/messages/{message}", self.message),
        ]

    async def create_assistant(self, call: Call) -> Answer:
        """A new assistant."""
        check_beta(call)
        only_text(call.body)
        if not text(call.body, "model"):
            raise refuse("Missing required parameter: 'model'.", param="model", code="missing_required_parameter")
        body = {
            "id": short_id("asst"),
            "object": "assistant",
            "created_at": int(self._clock()),
            "model": call.body["model"],
            "name": text(call.body, "name"),
            "description": text(call.body, "description"),
            "instructions": text(call.body, "instructions"),
            "tools": [],
            "tool_resources": {},
            "metadata": metadata(call.body),
            "temperature": call.body.get("temperature", 1.0),
            "top_p": call.body.get("top_p", 1.0),
            "response_format": "auto",
            "system_fingerprint": FINGERPRINT,
        }
        self._store.put(Assistant(body["id"], body=body), len(body["instructions"] or ""))
        return Answer(body)

    async def retrieve_assistant(self, call: Call) -> Answer:
        """One assistant."""
        check_beta(call)
        return Answer(assistant_of(self._store, call.path["assistant"]).body)

    async def delete_assistant(self, call: Call) -> Answer:
        """Forget one; threads stay."""
        check_beta(call)
        found = assistant_of(self._store, call.path["assistant"])
        self._store.drop(found.id)
        return Answer({"id": found.id, "object": "assistant.deleted", "deleted": True})

    async def create(self, call: Call) -> Answer:
        """A new thread."""
        check_beta(call)
        return Answer(new_thread(self._store, call.body, self._clock()).body)

    async def retrieve(self, call: Call) -> Answer:
        """The thread without its messages."""
        return Answer(thread_of(self._store, call).body)

    async def delete(self, call: Call) -> Answer:
        """Forget it, its messages and its runs; a run that is active ends."""
        found = thread_of(self._store, call)
        self._store.drop(found.id)
        for run in found.runs.values():
            if run.task is not None:
                run.task.cancel()
        return Answer({"id": found.id, "object": "thread.deleted", "deleted": True})

    async def add(self, call: Call) -> Answer:
        """Append a message. Refused while a run is active."""
        thread = thread_of(self._store, call)
        if thread.characters > MOST_OF_ONE:
            raise refuse(f"{thread.id} is full.")
        if thread.active is not None:
            raise refuse(f"Can't add messages to {thread.id} while a run {thread.active} is active.")
        message = given_message(thread.id, call.body, self._clock())
        thread.messages.append(message)
        self._store.grow(thread, len(message_text(message)) + WEIGHT)
        return Answer(message)

    async def listing(self, call: Call) -> Answer:
        """A page of messages, newest first unless asked otherwise; `run_id` asks for those of one run."""
        messages = thread_of(self._store, call).messages
        run = call.query.get("run_id")
        return Answer(page([message for message in messages if run in (None, message["run_id"])], call.query))

    async def message(self, call: Call) -> Answer:
        """One message."""
        for message in thread_of(self._store, call).messages:
            if message["id"] == call.path["message"]:
                return Answer(message)
        raise refuse(f"No message found with id '{call.path['message']}'.", status=404)
