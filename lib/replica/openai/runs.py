"""Runs of a thread: the endpoints.

A run answers a thread's messages with an assistant, and is polled or read as events. A thread has one active run at a
time, which goes on if its reader leaves. Tools are not supported, so no run ever requires action. run_worker.py does
the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from lib.replica.errors import invalid_type, not_found_in_assistants, openai_error
from lib.replica.http_values import FINGERPRINT, Answer, Call, Clock, Events, Json, Route, event, short_id
from lib.replica.model import Model
from lib.replica.openai.assistants import assistant_of, check_beta, check_writable, message_from, new_thread, thread_of
from lib.replica.openai.assistants import size_of as size_of_messages
from lib.replica.openai.run_worker import ACTIVE_STATUSES, RUN_SECONDS, RunWorker
from lib.replica.request_fields import SAMPLING, metadata, number, page, refuse_unsupported, text
from lib.replica.store import OVERHEAD, Run, Store, Thread

SMALLEST_LIMIT = 256
"""The smallest `max_prompt_tokens` and `max_completion_tokens` that OpenAI accepted."""
POLL_AFTER = {"openai-poll-after-ms": "200"}
"""How long the SDK waits between polls; OpenAI's own servers said about 1000."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The endpoints below /v1/threads/{thread}/runs, and /v1/threads/runs."""

    store: Store
    model: Model
    clock: Clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        runs = "/v1/threads/{thread}/runs"
        return [
            ("POST", "/v1/threads/runs", self.create_with_thread),
            ("POST", runs, self.create),
            ("GET", runs, self.list_runs),
            ("GET", runs + "/{run}", self.retrieve),
            ("POST", runs + "/{run}/cancel", self.cancel),
            ("GET", runs + "/{run}/steps", self.list_steps),
            ("GET", runs + "/{run}/steps/{step}", self.retrieve_step),
        ]

    async def create(self, call: Call) -> Answer | Events:
        """Run an existing thread."""
        thread = thread_of(self.store, call)
        check_writable(thread, f"Thread {thread.id} already has an active run {thread.active_run}.")
        body = self._new_body(thread.id, call.body)
        added = [
            message_from(thread.id, given, self.clock(), f"additional_messages[{place}].")
            for place, given in enumerate(call.body.get("additional_messages") or [])
        ]
        thread.messages += added
        self.store.resize(thread, size_of_messages(added) + OVERHEAD)
        return self._start(thread, body, call.body, [])

    async def create_with_thread(self, call: Call) -> Answer | Events:
        """Create a thread and run it."""
        check_beta(call)
        body = self._new_body("", call.body)
        given = call.body.get("thread") or {}
        if not isinstance(given, dict):
            raise invalid_type("thread", "an object")
        thread = new_thread(self.store, given, self.clock())
        return self._start(thread, body | {"thread_id": thread.id}, call.body, [event("thread.created", thread.body)])

    async def retrieve(self, call: Call) -> Answer:
        """One run."""
        return Answer(self._run(call).body, headers=POLL_AFTER)

    async def list_runs(self, call: Call) -> Answer:
        """A page of runs, newest first by default."""
        thread = thread_of(self.store, call)
        return Answer(page([run.body for run in thread.runs.values()], call.query))

    async def cancel(self, call: Call) -> Answer:
        """End an active run; it is cancelled a moment later."""
        run = self._run(call)
        if run.body["status"] not in ACTIVE_STATUSES:
            raise openai_error(f"Cannot cancel run with status '{run.body['status']}'.")
        run.body["status"] = "cancelling"
        answer = Answer(dict(run.body), headers=POLL_AFTER)
        if run.task is not None:
            run.task.cancel()
        return answer

    async def list_steps(self, call: Call) -> Answer:
        """A page of a run's steps."""
        return Answer(page(self._run(call).steps, call.query))

    async def retrieve_step(self, call: Call) -> Answer:
        """One step."""
        for step in self._run(call).steps:
            if step["id"] == call.path["step"]:
                return Answer(step)
        raise not_found_in_assistants("step", call.path["step"])

    def _run(self, call: Call) -> Run:
        run = thread_of(self.store, call).runs.get(call.path["run"])
        if run is None:
            raise not_found_in_assistants("run", call.path["run"])
        return run

    def _new_body(self, thread: str, given: Json) -> Json:
        """The object of a run that has not begun."""
        refuse_unsupported(given)
        assistant = assistant_of(self.store, given.get("assistant_id")).body
        instructions = [
            text(given, "instructions") or assistant["instructions"],
            text(given, "additional_instructions"),
        ]
        now = int(self.clock())
        return {
            "id": short_id("run"),
            "object": "thread.run",
            "created_at": now,
            "assistant_id": assistant["id"],
            "thread_id": thread,
            "status": "queued",
            "started_at": None,
            "expires_at": now + int(RUN_SECONDS),
            "cancelled_at": None,
            "failed_at": None,
            "completed_at": None,
            "required_action": None,
            "last_error": None,
            "model": text(given, "model") or assistant["model"],
            "usage": None,
            "incomplete_details": None,
            "instructions": "\n".join(part for part in instructions if part),
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "response_format": "auto",
            "metadata": metadata(given),
            "temperature": given.get("temperature", assistant["temperature"]),
            "top_p": given.get("top_p", assistant["top_p"]),
            "truncation_strategy": _truncation_strategy(given),
            "max_prompt_tokens": number(given, "max_prompt_tokens", at_least=SMALLEST_LIMIT),
            "max_completion_tokens": number(given, "max_completion_tokens", at_least=SMALLEST_LIMIT),
            "system_fingerprint": FINGERPRINT,
        }

    def _start(self, thread: Thread, body: Json, given: Json, first_events: list[bytes]) -> Answer | Events:
        """Start the work. Returns the queued run, or its events if the request asks for a stream."""
        run = Run(body)
        thread.runs[body["id"]] = run
        options = {name: body[name] for name in SAMPLING if given.get(name) is not None or body[name] not in (None, 1)}
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for entry in first_events:
            queue.put_nowait(entry)
        streams = bool(given.get("stream"))
        emit = queue.put_nowait if streams else _ignore
        worker = RunWorker(thread, run, self.store, self.model, self.clock, options, emit)
        run.task = asyncio.create_task(worker.run())
        run.task.add_done_callback(lambda _: queue.put_nowait(None))
        return Events(_until_none(queue)) if streams else Answer(dict(body), headers=POLL_AFTER)


def _truncation_strategy(given: Json) -> Json:
    strategy = given.get("truncation_strategy") or {"type": "auto"}
    if not isinstance(strategy, dict):
        raise invalid_type("truncation_strategy", "an object")
    kind = strategy.get("type")
    if kind not in ("auto", "last_messages"):
        message = f"Invalid value: '{kind}'. Supported values are: 'auto' and 'last_messages'."
        raise openai_error(message, param="truncation_strategy.type", code="invalid_value")
    last_messages = number(strategy, "last_messages", at_least=1)
    if (kind == "last_messages") != (last_messages is not None):
        message = "'last_messages' is given with the truncation strategy of that name, and only with it."
        raise openai_error(message, param="truncation_strategy.last_messages", code="invalid_value")
    return {"type": kind, "last_messages": last_messages}


async def _until_none(queue: asyncio.Queue[bytes | None]) -> AsyncGenerator[bytes, None]:
    while (entry := await queue.get()) is not None:
        yield entry
    yield event("done", "[DONE]")


def _ignore(_: bytes) -> None:
    pass
