"""The model behind the replica: any server that speaks Chat Completions.

Every reply comes from a real request with the whole transcript. Token counts are those the model's server reports, else
None. If it cannot count before a request, characters / 4 decide what fits, and are never reported as usage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib.errors import ProviderUnavailable
from lib.providers.llama.process import WHOLE, LocalModel
from lib.replica.asked_once import Answer, AskedOnce, request_key
from lib.replica.http_values import Json
from lib.replica.reply import ModelFailed, Reply, ReplyEnd, StreamReader, model_error

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0
CHARACTERS_PER_TOKEN = 4
UNSUPPORTED_STATUSES = (404, 405, 501)
"""HTTP statuses of a server without a counting endpoint."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The model's server: base URL ending in /v1, key, model name, and fields to add to every request."""

    url: str
    key: str
    model: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def embedded_backend(model: LocalModel) -> Callable[[], Backend]:
    """The model on this machine as a backend; it starts with the first request."""

    def backend() -> Backend:
        address = model.ensure()
        return Backend(f"{address.url}/v1", address.key, model.name, WHOLE)

    return backend


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of a transcript before it is sent. `exact` if the model's own server counted."""

    tokens: int
    exact: bool


class Model:
    """Sends transcripts to the backend. `window` and `reply_tokens` (the limit for requests that set none) in
    tokens. With `asked_once`, a request that was answered before is answered alike, without the backend."""

    def __init__(
        self, backend: Callable[[], Backend], window: int, reply_tokens: int, asked_once: AskedOnce | None = None
    ) -> None:
        self.window = window
        self._asked_once = asked_once
        self.reply_tokens = reply_tokens
        self._backend = backend
        self._client: httpx2.AsyncClient | None = None
        self._cannot_count: set[str] = set()
        """Base URLs without a counting endpoint."""

    def input_budget(self, limit: int | None) -> int:
        """Input tokens that leave room for a reply of this limit. At most a quarter of the window is reserved for
        it."""
        return self.window - min(limit or self.reply_tokens, self.window // 4)

    async def name(self) -> str:
        """The model's name."""
        return (await self._running_backend()).model

    async def count(self, messages: Sequence[Json]) -> Count:
        """Tokens of a transcript, template included."""
        backend = await self._running_backend()
        if backend.url not in self._cannot_count:
            body = {"model": backend.model, "messages": messages}
            response = await self._post(backend, "/chat/completions/input_tokens", body)
            tokens = _counted_tokens(response)
            if tokens is not None:
                return Count(tokens, exact=True)
            if response.status_code not in (200, *UNSUPPORTED_STATUSES):
                raise model_error(response.status_code, response.text)
            self._cannot_count.add(backend.url)
        return Count(sum(len(message["content"]) for message in messages) // CHARACTERS_PER_TOKEN, exact=False)

    def reply(
        self, messages: Sequence[Json], limit: int | None = None, options: Mapping[str, Any] | None = None
    ) -> Reply:
        """The reply to a transcript, of at most `limit` tokens. Nothing is sent before it is iterated over, which
        raises ModelFailed."""
        limit, options = limit or self.reply_tokens, options or {}
        if self._asked_once is None:
            return Reply(self._stream(messages, limit, options))
        return Reply(self._stream_once(self._asked_once, messages, limit, options))

    async def _stream_once(
        self, asked_once: AskedOnce, messages: Sequence[Json], limit: int, options: Mapping[str, Any]
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        """Like `_stream`, but a request answered before gets the remembered reply."""
        key, pieces = request_key(messages, limit, options), list[str]()
        known = asked_once.get(key)
        if known is not None:
            for piece in known.pieces:
                yield piece
            yield known.end
            return
        async with aclosing(self._stream(messages, limit, options)) as events:
            async for event in events:
                if isinstance(event, str):
                    pieces.append(event)
                else:
                    asked_once.keep(key, Answer(tuple(pieces), event))
                yield event

    async def _stream(
        self, messages: Sequence[Json], limit: int, options: Mapping[str, Any]
    ) -> AsyncGenerator[str | ReplyEnd, None]:
        """Text as it streams, then one ReplyEnd."""
        import httpx2

        backend = await self._running_backend()
        room = max(1, self.window - (await self.count(messages)).tokens)
        body = {
            "model": backend.model,
            "messages": list(messages),
            "max_tokens": min(limit, room),
            "stream": True,
            "stream_options": {"include_usage": True},
            **backend.extra,
            **options,
        }
        reader = StreamReader(backend.model)
        try:
            request = self._http().build_request(
                "POST", f"{backend.url}/chat/completions", json=body, headers=_key_header(backend)
            )
            response = await self._http().send(request, stream=True)
            try:
                if response.status_code != 200:
                    raise model_error(response.status_code, (await response.aread()).decode(errors="replace"))
                async for line in response.aiter_lines():
                    if text := reader.read(line):
                        yield text
            finally:
                await response.aclose()
        except httpx2.HTTPError as exc:
            raise ModelFailed(502, f"The model behind the replica broke off ({type(exc).__name__}).") from exc
        yield reader.end(window_full=room < limit)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _running_backend(self) -> Backend:
        try:
            return await asyncio.to_thread(self._backend)  # starting it takes a second
        except ProviderUnavailable as exc:
            raise ModelFailed(503, exc.what) from exc

    async def _post(self, backend: Backend, path: str, body: Json) -> httpx2.Response:
        import httpx2

        try:
            return await self._http().post(backend.url + path, json=body, headers=_key_header(backend))
        except httpx2.HTTPError as exc:
            raise ModelFailed(502, f"The model behind the replica is not reached ({type(exc).__name__}).") from exc

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
            self._client = httpx2.AsyncClient(timeout=timeout, trust_env=False)
        return self._client


def _counted_tokens(response: httpx2.Response) -> int | None:
    try:
        tokens = response.json().get("input_tokens")
    except (ValueError, AttributeError):  # not JSON, or not an object
        return None
    return tokens if isinstance(tokens, int) else None


def _key_header(backend: Backend) -> dict[str, str]:
    return {"Authorization": f"Bearer {backend.key}"}
