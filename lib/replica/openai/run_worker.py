"""One run at work: the model answers a thread.

What for: the same work whether the run is polled or streamed. The rule: `auto` leaves out messages from the middle until the
rest fits, the run never says which, and a run that cannot fit ends `incomplete` (at max_prompt_tokens) or `failed` (at the
window). The thread is free again before the last event goes out. It leaves out HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from lib.replica.http_values import FINGERPRINT, Json, event, short_id
from lib.replica.model import End, Model, ModelFailed
from lib.replica.openai.assistants import message_text, new_message
from lib.replica.store import WEIGHT, Run, Store, Thread
from lib.replica.truncation import fitted, without_middle

log = logging.getLogger(__name__)

RUN_SECONDS = 600.0
"""A run that is not done by then is expired; ten minutes, as at OpenAI."""
ACTIVE = ("queued", "in_progress")
TIMES = {"completed": "completed_at", "cancelled": "cancelled_at", "failed": "failed_at"}
STEP_TIMES = TIMES | {"expired": "expired_at"}
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class _Over(Exception):
    """The run ends before it is complete."""

    def __init__(self, status: str, **more: Any) -> None:
        super().__init__(status)
        self.status = status
        self.more = more


class Running:
    """A run of a thread; `go` once. `say` is told every event."""

    def __init__(
        self,
        thread: Thread,
        run: Run,
        store: Store,
        model: Model,
        clock: Callable[[], float],
        options: Mapping[str, Any],
        say: Callable[[bytes], None],
    ) -> None:
        self._thread, self._run, self._store, self._model = thread, run, store, model
        self._clock, self._options, self._say = clock, options, say
        self._message: Json | None = None
        self._pieces: list[str] = []
        self._usage: Json | None = NOTHING
        thread.active, thread.busy = run.body["id"], True

    async def go(self) -> None:
        """Do it, to whatever end."""
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await self._answer()
        except TimeoutError:
            self._end("expired")
        except asyncio.CancelledError:  # by whoever cancelled the run; its task has nothing else to do
            if self._run.end == "cancelled":
                self._tell("thread.run.cancelling", self._run.body)
            self._end(self._run.end)
        except _Over as over:
            self._end(over.status, **over.more)
        except ModelFailed as exc:
            code = "rate_limit_exceeded" if exc.status == 429 else "invalid_prompt" if exc.overflow else "server_error"
            self._end("failed", last_error={"code": code, "message": exc.message})
        except Exception:  # a mistake of ours; nobody awaits the task, and the run must not stay active for ever
            log.exception("run %s failed", self._run.body["id"])
            what = "The server had an error while processing your request."
            self._end("failed", last_error={"code": "server_error", "message": what})

    async def _answer(self) -> None:
        body = self._run.body
        self._tell("thread.run.created", body)
        self._tell("thread.run.queued", body)
        await asyncio.sleep(0)  # where a cancellation may come
        body |= {"status": "in_progress", "started_at": int(self._clock())}
        self._tell("thread.run.in_progress", body)
        transcript = await self._transcript()
        self._usage = None  # from here on it is not known until the model's server says so
        end = End(body["model"])
        async with aclosing(self._model.stream(transcript, body["max_completion_tokens"], self._options)) as stream:
            async for piece in stream:
                if isinstance(piece, End):
                    end = piece
                else:
                    self._write(piece)
        self._begin_message()
        if end.usage is not None:
            used, wrote = end.usage.input, end.usage.output
            self._usage = {"prompt_tokens": used, "completion_tokens": wrote, "total_tokens": used + wrote}
        if end.length:
            self._end("incomplete", incomplete_details={"reason": "max_completion_tokens"})
        else:
            self._end("completed")

    async def _transcript(self) -> list[Json]:
        """What the model is sent. Raises _Over where it cannot fit."""
        body, strategy = self._run.body, self._run.body["truncation_strategy"]
        budget, asked = self._model.budget(body["max_completion_tokens"]), body["max_prompt_tokens"]
        bound = min(budget, asked or budget)
        messages = [message for message in self._thread.messages if message["content"]]

        async def fits(kept: list[Json]) -> bool:
            return (await self._model.count(self._chat(kept))).tokens <= bound

        if strategy["type"] == "last_messages":
            newest = messages[-strategy["last_messages"] :]
            kept = newest if await fits(newest) else None
        else:
            kept = await fitted(messages, without_middle, fits)
        if kept is not None:
            return self._chat(kept)
        if bound == asked:
            raise _Over("incomplete", incomplete_details={"reason": "max_prompt_tokens"})
        what = f"The prompt exceeds the available context size of {self._model.window} tokens."
        raise _Over("failed", last_error={"code": "invalid_prompt", "message": what})

    def _chat(self, messages: list[Json]) -> list[Json]:
        instructions = self._run.body["instructions"]
        first = [{"role": "system", "content": instructions}] if instructions else []
        return first + [{"role": message["role"], "content": message_text(message)} for message in messages]

    def _begin_message(self) -> Json:
        """The message of this run, and the step that writes it: made with its first word."""
        if self._message is not None:
            return self._message
        body, now = self._run.body, self._clock()
        message = new_message(
            self._thread.id,
            "assistant",
            "",
            now,
            status="in_progress",
            assistant_id=body["assistant_id"],
            run_id=body["id"],
        )
        step = {
            "id": short_id("step"),
            "object": "thread.run.step",
            "created_at": int(now),
            "run_id": body["id"],
            "assistant_id": body["assistant_id"],
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
        for name, data in (
            ("thread.run.step.created", step),
            ("thread.run.step.in_progress", step),
            ("thread.message.created", message),
            ("thread.message.in_progress", message),
        ):
            self._tell(name, data)
        return message

    def _write(self, piece: str) -> None:
        message = self._begin_message()
        self._pieces.append(piece)
        content = [{"index": 0, "type": "text", "text": {"value": piece, "annotations": []}}]
        delta = {"id": message["id"], "object": "thread.message.delta", "delta": {"content": content}}
        self._tell("thread.message.delta", delta)

    def _end(self, status: str, **more: Any) -> None:
        """Write down how it ended, free the thread, and say so."""
        now = int(self._clock())
        if self._message is not None:
            self._end_message(self._message, status, now)
        self._run.body |= {"status": status, "usage": self._usage, "expires_at": None, **more}
        if status in TIMES:
            self._run.body[TIMES[status]] = now
        self._thread.active, self._thread.busy = None, False
        self._tell(f"thread.run.{status}", self._run.body)

    def _end_message(self, message: Json, status: str, now: int) -> None:
        value = "".join(self._pieces)
        message["content"] = [{"type": "text", "text": {"value": value, "annotations": []}}] if value else []
        self._store.grow(self._thread, len(value) + WEIGHT)
        if status == "completed":
            message |= {"status": "completed", "completed_at": now}
        else:
            reason = "max_tokens" if status == "incomplete" else f"run_{status}"
            message |= {"status": "incomplete", "incomplete_at": now, "incomplete_details": {"reason": reason}}
        self._tell(f"thread.message.{message['status']}", message)
        step = self._run.steps[-1]
        outcome = "completed" if status == "incomplete" else status
        step |= {"status": outcome, "usage": self._usage, STEP_TIMES[outcome]: now}
        self._tell(f"thread.run.step.{outcome}", step)

    def _tell(self, name: str, data: Json) -> None:
        self._say(event(name, data))
