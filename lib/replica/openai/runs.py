"""Runs of a thread: the endpoints.

What for: a run answers the thread's messages with an assistant; it is polled, or read as events. The rule: one active run per
thread, and it goes on when nobody listens. It leaves out tools, so no run ever requires action; running.py does the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from lib.replica.http_values import (
    FINGERPRINT,
    Answer,
    Call,
    Events,
    Json,
    Route,
    event,
    metadata,
    number,
    only_text,
    page,
    refuse,
    short_id,
    text,
)
from lib.replica.model import Model
from lib.replica.openai.assistants import assistant_of, check_beta, given_message, message_text, new_thread, thread_of
from lib.replica.openai.run_worker import ACTIVE, RUN_SECONDS, Running
from lib.replica.store import MOST_OF_ONE, WEIGHT, Run, Store, Thread

SMALLEST_LIMIT = 256
"""Tokens; what OpenAI accepts as `max_prompt_tokens` and `max_completion_tokens`."""
POLL_AFTER = {"openai-poll-after-ms": "200"}
"""What the SDK obeys when it polls; OpenAI's own servers said something near 1000."""


class Runs:
    """The endpoints below /v1/threads/{thread}/runs, and /v1/threads/runs."""

    def __init__(self, store: Store, model: Model, clock: Callable[[], float]) -> None:
        self._store = store
        self._model = model
        self._clock = clock

    def routes(self) -> list[Route]:
        """Method, path and handler of each."""
        runs = "/v1/threads/{thread}/runs"
        return [
            ("POST", "/v1/threads/runs", self.create_thread_too),
            ("POST", runs, self.create),
            ("GET", runs, self.listing),
            ("GET", runs + "/{run}", self.retrieve),
            ("POST", runs + "/{run}/cancel", self.cancel),
            ("GET", runs + "/{run}/steps", self.steps),
            ("GET", runs + "/{run}/steps/{step}", self.step),
        ]

    async def create(self, call: Call) -> Answer | Events:
        """Run an existing thread."""
        thread = thread_of(self._store, call)
        if thread.characters > MOST_OF_ONE:
            raise refuse(f"{thread.id} is full.")
        if thread.active is not None:
            raise refuse(f"Thread {thread.id} already has an active run {thread.active}.")
        body = self._body(thread.id, call.body)
        added = [
            given_message(thread.id, given, self._clock(), f"additional_messages[{place}].")
            for place, given in enumerate(call.body.get("additional_messages") or [])
        ]
        thread.messages += added
        self._store.grow(thread, sum(len(message_text(message)) + WEIGHT for message in added) + WEIGHT)
        return self._start(thread, body, call.body, [])

    async def create_thread_too(self, call: Call) -> Answer | Events:
        """Create a thread and run it."""
        check_beta(call)
        body = self._body("", call.body)
        given = call.body.get("thread") or {}
        if not isinstance(given, dict):
            raise refuse("Invalid type for 'thread': expected an object.", param="thread", code="invalid_type")
        thread = new_thread(self._store, given, self._clock())
        return self._start(thread, body | {"thread_id": thread.id}, call.body, [event("thread.created", thread.body)])

    async def retrieve(self, call: Call) -> Answer:
        """One run."""
        return Answer(self._run(call)[1].body, headers=POLL_AFTER)

    async def listing(self, call: Call) -> Answer:
        """A page of runs, newest first unless asked otherwise."""
        thread = thread_of(self._store, call)
        return Answer(page([run.body for run in thread.runs.values()], call.query))

    async def cancel(self, call: Call) -> Answer:
        """End an active run; it is cancelled a moment later."""
        _, run = self._run(call)
        if run.body["status"] not in ACTIVE:
            raise refuse(f"Cannot cancel run with status '{run.body['status']}'.")
        run.body["status"] = "cancelling"
        answer = Answer(dict(run.body), headers=POLL_AFTER)
        if run.task is not None:
            run.task.cancel()
        return answer

    async def steps(self, call: Call) -> Answer:
        """A page of a run's steps."""
        return Answer(page(self._run(call)[1].steps, call.query))

    async def step(self, call: Call) -> Answer:
        """One step."""
        for step in self._run(call)[1].steps:
            if step["id"] == call.path["step"]:
                return Answer(step)
        raise refuse(f"No step found with id '{call.path['step']}'.", status=404)

    def _run(self, call: Call) -> tuple[Thread, Run]:
        thread = thread_of(self._store, call)
        run = thread.runs.get(call.path["run"])
        if run is None:
            raise refuse(f"No run found with id '{call.path['run']}'.", status=404)
        return thread, run

    def _body(self, thread: str, given: Json) -> Json:
        """A run that has not begun."""
        only_text(given)
        assistant = assistant_of(self._store, given.get("assistant_id")).body
        instructions = [
            text(given, "instructions") or assistant["instructions"],
            text(given, "additional_instructions"),
        ]
        now = int(self._clock())
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
            "truncation_strategy": _strategy(given),
            "max_prompt_tokens": number(given, "max_prompt_tokens", at_least=SMALLEST_LIMIT),
            "max_completion_tokens": number(given, "max_completion_tokens", at_least=SMALLEST_LIMIT),
            "system_fingerprint": FINGERPRINT,
        }

    def _start(self, thread: Thread, body: Json, given: Json, first: list[bytes]) -> Answer | Events:
        """Start the work; the run as it is queued, or its events."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        run = Run(body)
        thread.runs[body["id"]] = run
        asked = [
            name for name in ("temperature", "top_p") if given.get(name) is not None or body[name] not in (None, 1)
        ]
        options = {name: body[name] for name in asked}
        stream = bool(given.get("stream"))
        for entry in first:
            queue.put_nowait(entry)
        running = Running(
            thread, run, self._store, self._model, self._clock, options, queue.put_nowait if stream else _unheard
        )
        run.task = asyncio.create_task(running.go())
        run.task.add_done_callback(lambda _: queue.put_nowait(None))
        return Events(_until_none(queue)) if stream else Answer(dict(body), headers=POLL_AFTER)


def _strategy(given: Json) -> Json:
    wanted = given.get("truncation_strategy") or {"type": "auto"}
    kind = wanted.get("type") if isinstance(wanted, dict) else wanted
    if kind not in ("auto", "last_messages"):
        what = f"Invalid value: '{kind}'. Supported values are: 'auto' and 'last_messages'."
        raise refuse(what, param="truncation_strategy.type", code="invalid_value")
    last = number(wanted, "last_messages", at_least=1)
    if (kind == "last_messages") != (last is not None):
        what = "'last_messages' is given with the truncation strategy of that name, and only with it."
        raise refuse(what, param="truncation_strategy.last_messages", code="invalid_value")
    return {"type": kind, "last_messages": last}


async def _until_none(queue: asyncio.Queue[bytes | None]) -> AsyncGenerator[bytes, None]:
    while (entry := await queue.get()) is not None:
        yield entry
    yield event("done", "[DONE]")


def _unheard(_: bytes) -> None:
    pass
