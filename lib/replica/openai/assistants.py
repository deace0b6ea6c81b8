"""OpenAI's Assistants v2: assistants, threads and messages, with the wording, ids and shapes the API had.

OpenAI shut this API down on 26 August 2026; here one can still see what it did. Runs are in runs.py. Tools, files and
lists of assistants are not supported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.replica.errors import missing_parameter, not_found_in_assistants, openai_error
from lib.replica.http_values import FINGERPRINT, Answer, Call, Clock, Json, Route, short_id
from lib.replica.request_fields import content_text, metadata, page, refuse_unsupported, text
from lib.replica.store import MOST_CHARACTERS_OF_ONE, OVERHEAD, Assistant, Store, Thread


def thread_of(store: Store, call: Call) -> Thread:
    """The thread a request names. Refuses an unknown one, and a request without the beta header."""
    check_beta(call)
    thread = store.get(Thread, call.path["thread"])
    if thread is None:
        raise not_found_in_assistants("thread", call.path["thread"])
    return thread


def assistant_of(store: Store, id_: Any) -> Assistant:
    """The assistant with this id. Refuses an unknown one."""
    if not isinstance(id_, str):
        raise missing_parameter("assistant_id")
    assistant = store.get(Assistant, id_)
    if assistant is None:
        raise not_found_in_assistants("assistant", id_)
    return assistant


def check_writable(thread: Thread, refusal_if_active: str) -> None:
    """Refuse to write to a thread that is full, or (with these words) that has an active run."""
    if thread.characters > MOST_CHARACTERS_OF_ONE:
        raise openai_error(f"{thread.id} is full.")
    if thread.active_run is not None:
        raise openai_error(refusal_if_active)


def check_beta(call: Call) -> None:
    """Refuse a request without the header for assistants=v2."""
    if "assistants=v2" not in call.headers.get("openai-beta", ""):
        message = (
            "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the"
            " header 'OpenAI-Beta: assistants=v2'."
        )
        raise openai_error(message, code="invalid_beta")


def text_content(value: str) -> list[Json]:
    """The content of a stored message with this text; empty for no text."""
    return [{"type": "text", "text": {"value": value, "annotations": []}}] if value else []


def message_text(message: Json) -> str:
    """The text of a stored message."""
    return "".join(part["text"]["value"] for part in message["content"])


def size_of(messages: list[Json]) -> int:
    """The size of messages in the store, in characters."""
    return sum(len(message_text(message)) + OVERHEAD for message in messages)


def new_message(thread: str, role: str, value: str, now: float, **more: Any) -> Json:
    """A message as it is stored. `more` replaces fields."""
    return {
        "id": short_id("msg"),
        "object": "thread.message",
        "created_at": int(now),
        "thread_id": thread,
        "role": role,
        "content": text_content(value),
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


def message_from(thread: str, given: Any, now: float, param: str = "") -> Json:
    """A message of a request as it is stored; `param` is where in the request it stands. Refuses other roles and no
    text."""
    if not isinstance(given, dict) or given.get("role") not in ("user", "assistant"):
        role = given.get("role") if isinstance(given, dict) else given
        message = f"Invalid value: '{role}'. Supported values are: 'user' and 'assistant'."
        raise openai_error(message, param=f"{param}role", code="invalid_value")
    value = content_text(given.get("content"), ("text",), f"{param}content")
    if not value:
        raise openai_error("Message content must be non-empty.", param=f"{param}content")
    return new_message(thread, given["role"], value, now, metadata=metadata(given))


def new_thread(store: Store, given: Json, now: float) -> Thread:
    """Store a thread with the messages of a request."""
    id_ = short_id("thread")
    entries = given.get("messages") or []
    messages = [message_from(id_, entry, now, f"messages[{place}].") for place, entry in enumerate(entries)]
    body = {
        "id": id_,
        "object": "thread",
        "created_at": int(now),
        "metadata": metadata(given),
        "tool_resources": {},
        "system_fingerprint": FINGERPRINT,
    }
    thread = Thread(id_, body=body, messages=messages)
    store.put(thread, size_of(messages))
    return thread


@dataclass(frozen=True, slots=True)
class Assistants:
    """The endpoints below /v1/assistants and /v1/threads, without runs."""

    store: Store
    clock: Clock

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
            ("POST", thread + "/messages", self.add_message),
            ("GET", thread + "/messages", self.list_messages),
            ("GET", thread + "/messages/{message}", self.retrieve_message),
        ]

    async def create_assistant(self, call: Call) -> Answer:
        """Create an assistant."""
        check_beta(call)
        refuse_unsupported(call.body)
        if not text(call.body, "model"):
            raise missing_parameter("model")
        body = {
            "id": short_id("asst"),
            "object": "assistant",
            "created_at": int(self.clock()),
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
        self.store.put(Assistant(body["id"], body=body), len(body["instructions"] or ""))
        return Answer(body)

    async def retrieve_assistant(self, call: Call) -> Answer:
        """One assistant."""
        check_beta(call)
        return Answer(assistant_of(self.store, call.path["assistant"]).body)

    async def delete_assistant(self, call: Call) -> Answer:
        """Delete an assistant; threads stay."""
        check_beta(call)
        assistant = assistant_of(self.store, call.path["assistant"])
        self.store.drop(assistant.id)
        return Answer({"id": assistant.id, "object": "assistant.deleted", "deleted": True})

    async def create(self, call: Call) -> Answer:
        """Create a thread."""
        check_beta(call)
        return Answer(new_thread(self.store, call.body, self.clock()).body)

    async def retrieve(self, call: Call) -> Answer:
        """The thread without its messages."""
        return Answer(thread_of(self.store, call).body)

    async def delete(self, call: Call) -> Answer:
        """Delete a thread with its messages and runs; an active run ends."""
        thread = thread_of(self.store, call)
        self.store.drop(thread.id)
        thread.cancel_runs()
        return Answer({"id": thread.id, "object": "thread.deleted", "deleted": True})

    async def add_message(self, call: Call) -> Answer:
        """Append a message. Refused while a run is active."""
        thread = thread_of(self.store, call)
        check_writable(thread, f"Can't add messages to {thread.id} while a run {thread.active_run} is active.")
        message = message_from(thread.id, call.body, self.clock())
        thread.messages.append(message)
        self.store.resize(thread, size_of([message]))
        return Answer(message)

    async def list_messages(self, call: Call) -> Answer:
        """A page of messages, newest first by default; `run_id` selects those of one run."""
        messages = thread_of(self.store, call).messages
        run = call.query.get("run_id")
        return Answer(page([message for message in messages if run in (None, message["run_id"])], call.query))

    async def retrieve_message(self, call: Call) -> Answer:
        """One message."""
        for message in thread_of(self.store, call).messages:
            if message["id"] == call.path["message"]:
                return Answer(message)
        raise not_found_in_assistants("message", call.path["message"])
