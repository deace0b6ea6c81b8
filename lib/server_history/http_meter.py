"""Measures one turn: every HTTP request with its bytes, the text as it streams, and the times.

Bytes count the bodies as transmitted, without headers. Retries, polls and redirects of the SDK are recorded like any
other request. The connections are those that lib/providers shares.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lib.messages import Usage
from lib.providers import TextDelta
from lib.providers.bounded_http import bounded_client
from lib.providers.http_client import shared_client
from lib.server_history import Handle, Ids, ReplyStatus, ServerTurn, Wire

if TYPE_CHECKING:
    import httpx2

Guard = Callable[[str], None]
"""Called with the host of every request, redirected ones included. Raises if nothing may be sent there."""


class MeteredTurn:
    """A turn while it runs: its requests, its text, its notes and its times."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.pieces: list[str] = []
        self.notes: list[str] = []
        self._started = time.monotonic()
        self._first_token_ms: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the turn began."""
        return time.monotonic() - self._started

    def text(self, piece: str) -> TextDelta:
        """Record a piece of the reply, and the time of the first one."""
        if self._first_token_ms is None:
            self._first_token_ms = self.seconds * 1000
        self.pieces.append(piece)
        return TextDelta(piece)

    def turn(
        self,
        handle: Handle,
        usage: Usage,
        ids: Ids = (),
        *,
        status: ReplyStatus = "complete",
        reason: str | None = None,
        replayed: bool = False,
    ) -> ServerTurn:
        """The turn, ending now."""
        if usage.input_tokens is None:
            self.notes.append("The server did not report how many tokens it read.")
        return ServerTurn(
            reply="".join(self.pieces),
            handle=handle,
            usage=usage,
            wires=tuple(self.wires),
            first_token_ms=self._first_token_ms,
            duration_ms=self.seconds * 1000,
            status=status,
            reason=reason,
            ids=ids,
            replayed=replayed,
            notes=tuple(self.notes),
        )


def metered_client(url: str, wires: list[Wire], guard: Guard | None = None) -> httpx2.Client:
    """An HTTP client for this URL that appends to `wires` when a response has been read or a request has failed.

    Event hooks would not do: a client with hooks of its own has connections of its own, and no hook is called for a
    request that fails.
    """
    import httpx2

    class MeteredBody(httpx2.SyncByteStream):
        """A response body as transmitted; recorded when it is closed."""

        def __init__(self, response: httpx2.Response, record: Callable[[int, int], None]) -> None:
            self._response, self._record = response, record

        def __iter__(self) -> Iterator[bytes]:
            return self._response.iter_raw()

        def close(self) -> None:
            self._response.close()
            self._record(self._response.status_code, self._response.num_bytes_downloaded)

    class MeteredTransport(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            if guard is not None:
                guard(request.url.host)
            bytes_up, started = len(request.read()), time.monotonic()

            def record(status: int | None, bytes_down: int | None) -> None:
                ms = (time.monotonic() - started) * 1000
                wires.append(Wire(request.method, request.url.path, bytes_up, bytes_down, status, ms))

            try:
                response = shared.send(request, stream=True, follow_redirects=False)
            except httpx2.HTTPError:
                record(None, None)
                raise
            return httpx2.Response(response.status_code, headers=response.headers, stream=MeteredBody(response, record))

    shared = shared_client(url)
    return bounded_client(transport=MeteredTransport(), timeout=shared.timeout, refuse_host=guard)
