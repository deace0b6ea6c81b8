"""RunWorker: does the work of one run, whether it is polled or streamed.

With the truncation strategy `auto`, messages are dropped from the middle until the rest fits; the run never says which.
A run that cannot fit ends `incomplete` (because of max_prompt_tokens) or `failed` (because of the window). The thread
accepts messages again before the last event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from lib.replica.http_values import FINGERPRINT, Clock, Json, event, short_id
from lib.replica.model import Model
from lib.replica.openai.assistants import message_text, new_message, text_content
from lib.replica.reply import ModelFailed
from lib.replica.store import OVERHEAD, Run, Store, Thread
from lib.replica.truncation import longest_that_fits, without_middle

log = logging.getLogger(__name__)

RUN_SECONDS = 600.0
"""A run expires after ten minutes, as at OpenAI."""
ACTIVE_STATUSES = ("queued", "in_progress")
TIME_FIELDS = {"completed": "completed_at", "cancelled": "cancelled_at", "failed": "failed_at"}
"""The field of a run that says when it got this status."""
STEP_TIME_FIELDS = TIME_FIELDS | {"expired": "expired_at"}
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
"""Usage of a run that ends before the model is asked."""


class _RunEnded(Exception):
    """The run ends before it is complete, with this status and these fields."""

    def __init__(self, status: str, **fields: Any) -> None:
        super().__init__(status)
        self.status = status
        self.fields = fields


class RunWorker:
    """The worker of one run; call `run` once. `emit` is called with every event."""

    def __init__(
        self,
        thread: Thread,
        run: Run,
        store: Store,
        model: Model,
        clock: Clock,
        options: Mapping[str, Any],
        emit: Callable[[bytes], None],
    ) -> None:
        self._thread, self._run, self._store, self._model = thread, run, store, model
        self._clock, self._options, self._send = clock, options, emit
        self._message: Json | None = None
        self._pieces: list[str] = []
        self._usage: Json | None = NO_USAGE
        thread.active_run, thread.busy = run.body["id"], True

    async def run(self) -> None:
        """Do the work. However it ends, the run gets a final status."""
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await self._answer()
        except TimeoutError:
            self._end("expired")
        except asyncio.CancelledError:  # by a request that ends the run; the task has nothing else to do
            if self._run.end_status == "cancelled":
                self._emit("thread.run.cancelling", self._run.body)
            self._end(self._run.end_status)
        except _RunEnded as ended:
            self._end(ended.status, **ended.fields)
        except ModelFailed as exc:
            code = "invalid_prompt" if exc.overflow and exc.status != 429 else exc.openai_code
            self._end("failed", last_error={"code": code, "message": exc.message})
        except Exception:  # a bug; nobody awaits this task, and the run must not stay active for ever
            log.exception("run %s failed", self._run.body["id"])
            message = "The server had an error while processing your request."
            self._end("failed", last_error={"code": "server_error", "message": message})

    async def _answer(self) -> None:
        body = self._run.body
        self._emit("thread.run.created", body)
        self._emit("thread.run.queued", body)
        await asyncio.sleep(0)  # a cancellation may come here
        body |= {"status": "in_progress", "started_at": int(self._clock())}
        self._emit("thread.run.in_progress", body)
        transcript = await self._transcript()
        self._usage = None  # unknown until the model's server reports it
        async with self._model.reply(transcript, body["max_completion_tokens"], self._options) as reply:
            async for piece in reply:
                self._write(piece)
        self._begin_message()  # if the reply is empty
        usage = reply.end.usage
        if usage is not None:
            self._usage = {
                "prompt_tokens": usage.input,
                "completion_tokens": usage.output,
                "total_tokens": usage.input + usage.output,
            }
        if reply.end.cut_off:
            self._end("incomplete", incomplete_details={"reason": "max_completion_tokens"})
        else:
            self._end("completed")

    async def _transcript(self) -> list[Json]:
        """The messages for the model. Raises _RunEnded if they cannot fit."""
        body, strategy = self._run.body, self._run.body["truncation_strategy"]
        budget, requested = self._model.input_budget(body["max_completion_tokens"]), body["max_prompt_tokens"]
        limit = min(budget, requested or budget)
        messages = [message for message in self._thread.messages if message["content"]]

        async def fits(kept: list[Json]) -> bool:
            return (await self._model.count(self._chat_messages(kept))).tokens <= limit

        if strategy["type"] == "last_messages":
            newest = messages[-strategy["last_messages"] :]
            kept = newest if await fits(newest) else None
        else:
            kept = await longest_that_fits(messages, without_middle, fits)
        if kept is not None:
            return self._chat_messages(kept)
        if limit == requested:
            raise _RunEnded("incomplete", incomplete_details={"reason": "max_prompt_tokens"})
        message = f"The prompt exceeds the available context size of {self._model.window} tokens."
        raise _RunEnded("failed", last_error={"code": "invalid_prompt", "message": message})

    def _chat_messages(self, messages: list[Json]) -> list[Json]:
        instructions = self._run.body["instructions"]
        system = [{"role": "system", "content": instructions}] if instructions else []
        return system + [{"role": message["role"], "content": message_text(message)} for message in messages]

    def _begin_message(self) -> Json:
        """The message of this run, created on first use together with the step that writes it."""
        if self._message is not None:
            return self._message
        body, now = self._run.body, self._clock()
        ids = {"assistant_id": body["assistant_id"], "run_id": body["id"]}
        message = new_message(self._thread.id, "assistant", "", now, status="in_progress", **ids)
        step = {
            "id": short_id("step"),
            "object": "thread.run.step",
            "created_at": int(now),
            **ids,
            "thread_id": self._thread.id,
            "type": "message_creation",
            "status": "in_progress",
            "cancelled_at": None,
            "completed_at": None,
            "expired_at": None,
            "failed_at": None,
            "last_error": None,
            "metadata": {},
            "usage": None,
            "system_fingerprint": FINGERPRINT,
            "step_details": {"type": "message_creation", "message_creation": {"message_id": message["id"]}},
        }
        self._message = message
        self._run.steps.append(step)
        self._thread.messages.append(message)
        for name, data in (("thread.run.step", step), ("thread.message", message)):
            self._emit(f"{name}.created", data)
            self._emit(f"{name}.in_progress", data)
        return message

    def _write(self, piece: str) -> None:
        message = self._begin_message()
        self._pieces.append(piece)
        content = [{"index": 0, **part} for part in text_content(piece)]
        delta = {"id": message["id"], "object": "thread.message.delta", "delta": {"content": content}}
        self._emit("thread.message.delta", delta)

    def _end(self, status: str, **fields: Any) -> None:
        """Record how the run ended, free the thread, and emit the last event."""
        now = int(self._clock())
        if self._message is not None:
            self._end_message(self._message, status, now)
        self._run.body |= {"status": status, "usage": self._usage, "expires_at": None, **fields}
        if status in TIME_FIELDS:
            self._run.body[TIME_FIELDS[status]] = now
        self._thread.active_run, self._thread.busy = None, False
        self._emit(f"thread.run.{status}", self._run.body)

    def _end_message(self, message: Json, status: str, now: int) -> None:
        text = "".join(self._pieces)
        message["content"] = text_content(text)
        self._store.resize(self._thread, len(text) + OVERHEAD)
        if status == "completed":
            message |= {"status": "completed", "completed_at": now}
        else:
            reason = "max_tokens" if status == "incomplete" else f"run_{status}"
            message |= {"status": "incomplete", "incomplete_at": now, "incomplete_details": {"reason": reason}}
        self._emit(f"thread.message.{message['status']}", message)
        step = self._run.steps[-1]
        step_status = "completed" if status == "incomplete" else status
        step |= {"status": step_status, "usage": self._usage, STEP_TIME_FIELDS[step_status]: now}
        self._emit(f"thread.run.step.{step_status}", step)

    def _emit(self, name: str, data: Json) -> None:
        self._send(event(name, data))
