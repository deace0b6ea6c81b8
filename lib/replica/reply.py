"""The model's reply as it streams: its text, how it ended, and how it failed."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.replica.http_values import Json


class ModelFailed(Exception):
    """The model did not answer. `overflow` says that the transcript does not fit its window."""

    def __init__(self, status: int, message: str, *, overflow: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.overflow = overflow

    @property
    def openai_code(self) -> str:
        """OpenAI's code for it, in a run or a response that failed."""
        return "rate_limit_exceeded" if self.status == 429 else "server_error"


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """Tokens that the model's server reported. `input` includes `cached`, which is None if not reported."""

    input: int
    cached: int | None
    output: int


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """How a reply ended. `cut_off`: at its limit of tokens; `window_full`: that limit was what the window had left."""

    model: str
    cut_off: bool = False
    window_full: bool = False
    usage: ReportedUsage | None = None


class Reply:
    """A reply while it streams: `async with` it, iterate over its text, then read `text` and `end`."""

    def __init__(self, events: AsyncGenerator[str | ReplyEnd, None]) -> None:
        self._events = events
        self._pieces: list[str] = []
        self.end = ReplyEnd("")

    async def __aenter__(self) -> Reply:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._events.aclose()

    def __aiter__(self) -> Reply:
        return self

    async def __anext__(self) -> str:
        event = await anext(self._events)
        if isinstance(event, ReplyEnd):
            self.end = event
            raise StopAsyncIteration
        self._pieces.append(event)
        return event

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)


class StreamReader:
    """Reads the lines of a streamed reply, and keeps what they say about its end."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._finish_reason: str | None = None
        self._usage: ReportedUsage | None = None

    def read(self, line: str) -> str:
        """The text in one line."""
        if not line.startswith("data:") or line.startswith("data: [DONE]"):
            return ""
        try:
            return self._read_chunk(json.loads(line[5:]))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ModelFailed(502, "The model behind the replica answered in an unknown format.") from exc

    def _read_chunk(self, chunk: Json) -> str:
        if "error" in chunk:
            raise model_error(502, json.dumps(chunk))
        self._model = chunk.get("model") or self._model
        if chunk.get("usage"):
            self._usage = _reported_usage(chunk["usage"])
        if not chunk.get("choices"):
            return ""
        choice = chunk["choices"][0]
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        return choice.get("delta", {}).get("content") or ""

    def end(self, *, window_full: bool) -> ReplyEnd:
        """How the reply ended. Raises ModelFailed if it broke off."""
        if self._finish_reason is None:
            raise ModelFailed(502, "The model behind the replica broke off in the middle of its reply.")
        cut_off = self._finish_reason == "length"
        return ReplyEnd(self._model, cut_off, cut_off and window_full, self._usage)


def model_error(status: int, text: str) -> ModelFailed:
    """An error response of the backend. llama.cpp and OpenAI name an overflow differently."""
    try:
        error = json.loads(text).get("error")
    except (ValueError, AttributeError):
        error = None
    error = error if isinstance(error, dict) else {"message": text[:200]}
    overflow = "exceed_context_size_error" in str(error.get("type")) or error.get("code") == "context_length_exceeded"
    return ModelFailed(status, str(error.get("message")), overflow=overflow)


def _reported_usage(usage: Mapping[str, Any]) -> ReportedUsage:
    details = usage.get("prompt_tokens_details") or {}
    return ReportedUsage(usage["prompt_tokens"], details.get("cached_tokens"), usage["completion_tokens"])
