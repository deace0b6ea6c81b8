"""The model behind the replica: any server that speaks Chat Completions.

What for: every answer of the replica comes from a real request with the whole transcript in it. The rule: token numbers are
the ones that server reported, or None; where it cannot count before sending, characters / 4 decide what fits and are never
reported as usage. It leaves out tools, retries and more than one model.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib.errors import ProviderUnavailable
from lib.providers.llama.process import SAMPLING, LocalModel
from lib.replica.http_values import Json

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0
CHARACTERS_PER_TOKEN = 4
CANNOT_COUNT = (404, 405, 501)
"""Statuses of a server without a counting address."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the model answers: the base URL with its /v1, a key, a model name, and fields added to every request."""

    url: str
    key: str
    model: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def embedded(model: LocalModel) -> Callable[[], Backend]:
    """The model on this machine as a backend, started at the first request."""

    def backend() -> Backend:
        address = model.ensure()
        return Backend(f"{address.url}/v1", address.key, model.name, SAMPLING)

    return backend


class ModelFailed(Exception):
    """The model did not answer. `overflow`: because the transcript does not fit its window."""

    def __init__(self, status: int, message: str, *, overflow: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.overflow = overflow


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model's server reported them. `input` includes `cached`, which is None where it does not say."""

    input: int
    cached: int | None
    output: int


@dataclass(frozen=True, slots=True)
class End:
    """How a reply ended. `length`: at its limit; `full`: because the window was full rather than at the limit asked for."""

    model: str
    length: bool = False
    full: bool = False
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of a transcript before it is sent. `exact` when the model's own server counted."""

    tokens: int
    exact: bool


class Model:
    """Sends transcripts to the backend. `window` and `reply_tokens` (for requests that name no limit) in tokens."""

    def __init__(self, backend: Callable[[], Backend], window: int, reply_tokens: int) -> None:
        self.window = window
        self.reply_tokens = reply_tokens
        self._backend = backend
        self._client: httpx2.AsyncClient | None = None
        self._blind: set[str] = set()  # addresses that do not count

    def budget(self, limit: int | None) -> int:
        """Input tokens that leave room for a reply of this limit; at most a quarter of the window is kept for it."""
        return self.window - min(limit or self.reply_tokens, self.window // 4)

    async def name(self) -> str:
        """What the model is called."""
        return (await self._where()).model

    async def count(self, messages: Sequence[Json]) -> Count:
        """The tokens of a transcript, with whatever the model's template adds."""
        backend = await self._where()
        if backend.url not in self._blind:
            body = {"model": backend.model, "messages": messages}
            answer = await self._post(backend, "/chat/completions/input_tokens", body)
            tokens = _counted(answer)
            if tokens is not None:
                return Count(tokens, exact=True)
            if answer.status_code not in (200, *CANNOT_COUNT):
                raise _failed(answer.status_code, answer.text)
            self._blind.add(backend.url)
        return Count(sum(len(message["content"]) for message in messages) // CHARACTERS_PER_TOKEN, exact=False)

    async def stream(
        self, messages: Sequence[Json], limit: int | None = None, options: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[str | End, None]:
        """Send a transcript: text as it comes, then one End. Raises ModelFailed."""
        import httpx2

        backend = await self._where()
        wanted = limit or self.reply_tokens
        room = max(1, self.window - (await self.count(messages)).tokens)
        body = {
            "model": backend.model,
            "messages": list(messages),
            "max_tokens": min(wanted, room),
            "stream": True,
            "stream_options": {"include_usage": True},
            **backend.extra,
            **(options or {}),
        }
        reading = _Reading(backend.model)
        try:
            request = self._http().build_request(
                "POST", f"{backend.url}/chat/completions", json=body, headers=_key(backend)
            )
            answer = await self._http().send(request, stream=True)
            try:
                if answer.status_code != 200:
                    raise _failed(answer.status_code, (await answer.aread()).decode(errors="replace"))
                async for line in answer.aiter_lines():
                    if text := reading.line(line):
                        yield text
            finally:
                await answer.aclose()
        except httpx2.HTTPError as exc:
            raise ModelFailed(502, f"The model behind the replica broke off ({type(exc).__name__}).") from exc
        yield reading.end(narrowed=room < wanted)

    async def close(self) -> None:
        """Give back the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _where(self) -> Backend:
        try:
            return await asyncio.to_thread(self._backend)  # it may have to be started, which takes a second
        except ProviderUnavailable as exc:
            raise ModelFailed(503, exc.what) from exc

    async def _post(self, backend: Backend, path: str, body: Json) -> httpx2.Response:
        import httpx2

        try:
            return await self._http().post(backend.url + path, json=body, headers=_key(backend))
        except httpx2.HTTPError as exc:
            raise ModelFailed(502, f"The model behind the replica is not reached ({type(exc).__name__}).") from exc

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
            self._client = httpx2.AsyncClient(timeout=timeout, trust_env=False)
        return self._client


class _Reading:
    """What the lines of a streamed reply said so far."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._finish: str | None = None
        self._usage: Usage | None = None

    def line(self, line: str) -> str:
        """Note one line; its text."""
        if not line.startswith("data:") or line.startswith("data: [DONE]"):
            return ""
        try:
            return self._note(json.loads(line[5:]))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ModelFailed(502, "The model behind the replica answered in no known form.") from exc

    def _note(self, chunk: Json) -> str:
        if "error" in chunk:
            raise _failed(502, json.dumps(chunk))
        self._model = chunk.get("model") or self._model
        if chunk.get("usage"):
            self._usage = _usage(chunk["usage"])
        if not chunk.get("choices"):
            return ""
        choice = chunk["choices"][0]
        self._finish = choice.get("finish_reason") or self._finish
        return choice.get("delta", {}).get("content") or ""

    def end(self, *, narrowed: bool) -> End:
        """How it ended. Raises ModelFailed where it only broke off."""
        if self._finish is None:
            raise ModelFailed(502, "The model behind the replica broke off in the middle of its reply.")
        length = self._finish == "length"
        return End(self._model, length, length and narrowed, self._usage)


def _usage(reported: Mapping[str, Any]) -> Usage:
    details = reported.get("prompt_tokens_details") or {}
    return Usage(reported["prompt_tokens"], details.get("cached_tokens"), reported["completion_tokens"])


def _counted(answer: httpx2.Response) -> int | None:
    try:
        tokens = answer.json().get("input_tokens")
    except (ValueError, AttributeError):  # not JSON, or not an object
        return None
    return tokens if isinstance(tokens, int) else None


def _key(backend: Backend) -> dict[str, str]:
    return {"Authorization": f"Bearer {backend.key}"}


def _failed(status: int, text: str) -> ModelFailed:
    """A refusal of the backend; llama.cpp and OpenAI name an overflow differently."""
    try:
        error = json.loads(text).get("error")
    except (ValueError, AttributeError):
        error = None
    error = error if isinstance(error, dict) else {"message": text[:200]}
    overflow = "exceed_context_size_error" in str(error.get("type")) or error.get("code") == "context_length_exceeded"
    return ModelFailed(status, str(error.get("message")), overflow=overflow)
