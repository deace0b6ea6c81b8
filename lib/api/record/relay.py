"""Passes one request on to its provider and the answer back, as bytes, while a copy of both goes to the recorder.

A piece of the answer is sent on before anything else happens with it. If the app leaves, the request to the provider
ends; if the provider breaks off, so does the answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from starlette.requests import Request
from starlette.types import Message, Receive, Send

from lib.api.errors import Refused
from lib.api.record import upstream
from lib.recorder.tape import Tape

if TYPE_CHECKING:
    import httpx2


@dataclass(slots=True)
class Passing:
    """One request on its way. `tape` is None for requests that are not recorded. `url` is where it goes."""

    method: str
    url: str
    headers: upstream.Headers
    data: bytes
    label: str
    tape: Tape | None

    async def run(self, receive: Receive, send: Send) -> None:
        """Pass it on. Raises Refused if the provider is not reached; then nothing was sent to the app."""
        tape, unreachable = self.tape, False
        async with anyio.create_task_group() as group:
            if tape is not None:
                loop = asyncio.get_running_loop()
                tape.stop = lambda: loop.call_soon_threadsafe(self._stopped, group.cancel_scope)
            group.start_soon(self._watch, receive, group.cancel_scope)
            try:
                unreachable = not await self._pump(send)
            finally:
                if tape is not None and tape.ended_monotonic is None:
                    tape.ended("left")
            group.cancel_scope.cancel()
        if unreachable:
            what = f"{self.label} was not reached at {upstream.shown(self.url)}."
            raise Refused(502, "upstream_unreachable", what, next_step="Check its address, then send it again.")

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        """End the passing when the app closes its connection."""
        message: Message = {"type": "http.request"}
        while message["type"] != "http.disconnect":
            message = await receive()
        scope.cancel()

    def _stopped(self, scope: anyio.CancelScope) -> None:
        """A person stopped it on a page."""
        if self.tape is not None and self.tape.ended_monotonic is None:
            self.tape.ended("stopped")
        scope.cancel()

    async def _pump(self, send: Send) -> bool:
        """Send the request and pass the answer on. False if there was none."""
        import httpx2

        tape, started = self.tape, False
        try:
            client = upstream.client_for(self.url)
            request = upstream.build(self.method, self.url, self.headers, self.data)
            response = await client.send(request, stream=True)
            try:
                await self._start(response, send)
                started = True
                async for piece in response.aiter_raw():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    if tape is not None:
                        tape.piece(piece)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
        except (httpx2.TransportError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            if tape is not None:
                tape.ended("broken" if started else "unreachable", f"({type(error).__name__})")
            return started  # an answer that is left open here is broken off by the server
        if tape is not None:
            tape.ended("complete")
        await send({"type": "http.response.body", "body": b""})
        return True

    async def _start(self, response: httpx2.Response, send: Send) -> None:
        headers = upstream.response_headers(response.headers.raw)
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        if self.tape is not None:
            self.tape.began(response.status_code, {name.lower(): value for name, value in response.headers.items()})


def of_request(request: Request) -> str:
    """The query of a request, as it came."""
    query: bytes = request.scope.get("query_string", b"")
    return query.decode("latin-1")
