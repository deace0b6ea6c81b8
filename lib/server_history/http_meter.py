"""What one turn costs on the wire: every HTTP request, counted where it leaves.

The one rule: the bytes are those of the bodies that travel, whoever builds them: an SDK's retries, polls and redirects are
counted too. Headers are left out. The connection itself is the one that lib/providers shares.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lib.messages import Usage
from lib.providers import TextDelta
from lib.providers.http_client import shared_client
from lib.server_history import Handle, Ids, ReplyStatus, ServerTurn, Wire

if TYPE_CHECKING:
    import httpx2

Guard = Callable[[str], None]
"""Looks at the host of every request, redirected ones included, and raises where none may go."""


class MeteredTurn:
    """One turn while it runs: its wires, its text, its times."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.pieces: list[str] = []
        self.notes: list[str] = []
        self._started = time.monotonic()
        self._first: float | None = None

    @property
    def seconds(self) -> float:
        """Since the turn began."""
        return time.monotonic() - self._started

    def text(self, piece: str) -> TextDelta:
        """Keep a piece of the reply, and the time of the first."""
        if self._first is None:
            self._first = self.seconds * 1000
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
        """The end of the turn, as of now."""
        if usage.input_tokens is None:
            self.notes.append("The server did not report how many tokens it read.")
        return ServerTurn(
            reply="".join(self.pieces),
            handle=handle,
            usage=usage,
            wires=tuple(self.wires),
            first_token_ms=self._first,
            duration_ms=self.seconds * 1000,
            status=status,
            reason=reason,
            ids=ids,
            replayed=replayed,
            notes=tuple(self.notes),
        )


def metered_client(url: str, wires: list[Wire], guard: Guard | None = None) -> httpx2.Client:
    """An HTTP client for this address that notes every request in `wires` when its answer has been read."""
    import httpx2

    class Counted(httpx2.SyncByteStream):
        """An answer's body as it travels; the wire is noted when it ends."""

        def __init__(self, answer: httpx2.Response, note: Callable[[int, int], None]) -> None:
            self._answer, self._note, self._down, self._noted = answer, note, 0, False

        def __iter__(self) -> Iterator[bytes]:
            for piece in self._answer.iter_raw():
                self._down += len(piece)
                yield piece

        def close(self) -> None:
            self._answer.close()
            if not self._noted:
                self._noted = True
                self._note(self._answer.status_code, self._down)

    class Tap(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            if guard is not None:
                guard(request.url.host)
            up, started = len(request.read()), time.monotonic()

            def note(status: int | None, down: int | None) -> None:
                ms = (time.monotonic() - started) * 1000
                wires.append(Wire(request.method, request.url.path, up, down, status, ms))

            try:
                answer = shared.send(request, stream=True, follow_redirects=False)
            except httpx2.HTTPError:
                note(None, None)
                raise
            return httpx2.Response(answer.status_code, headers=answer.headers, stream=Counted(answer, note))

    shared = shared_client(url)
    return httpx2.Client(transport=Tap(), timeout=shared.timeout, follow_redirects=True)
