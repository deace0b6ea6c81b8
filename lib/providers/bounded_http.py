"""An HTTP client that reads a bounded part of what a server answers, and follows no redirect to another server.

Sizes are counted after decompression. A redirected request carries the conversation, and often the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

ERROR_BYTES = 65_536
"""Bytes of an error's body that are read. Later ones are left out."""
ANSWER_BYTES = 33_554_432
"""Longest answer that is no stream, in bytes: the tokens of a batch of text are a few million."""
STREAM_BYTES = 536_870_912
"""Longest stream, in bytes. The longest reply we keep takes this much in a stream of single tokens."""
LINE_BYTES = 1_048_576
"""Longest line of a stream, in bytes."""
MOST_REDIRECTS = 5


class AnswerNotTaken(Exception):
    """An answer that we do not read to its end, or a redirect that we do not follow.

    `what` continues a sentence that begins with the server's name.
    """

    def __init__(self, what: str, next_step: str = "Check its base URL, then retry.") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def bounded_client(*, refuse_host: Callable[[str], None] | None = None, **options: Any) -> httpx2.Client:
    """A client whose answers are bounded and whose redirects stay on the server that was asked.

    `options` are those of httpx2.Client. Its requests raise AnswerNotTaken. `refuse_host` is called first with the host
    of a redirect that is not followed, and may raise an error that says more.
    """
    import httpx2

    class BoundedClient(httpx2.Client):
        def send(self, request: httpx2.Request, *, stream: bool = False, **sending: Any) -> httpx2.Response:
            follow = sending.pop("follow_redirects", True) is not False
            for _ in range(MOST_REDIRECTS + 1):
                response = super().send(request, stream=True, follow_redirects=False, **sending)
                if not follow or response.next_request is None:
                    return _bounded_response(response, read=not stream)
                response.close()
                if not _is_same_server(request.url, response.next_request.url):
                    raise _redirected(response.next_request.url, refuse_host)
                request = response.next_request
            raise AnswerNotTaken("sends every request on to another address, in a circle.")

    return BoundedClient(follow_redirects=False, **options)


def _bounded_response(response: httpx2.Response, *, read: bool) -> httpx2.Response:
    """The same response with a bounded body, which has been read if `read` is set."""
    made = _response_class()(response)
    if read:
        try:
            made.read()
        except BaseException:
            made.close()
            raise
    return made


@cache
def _response_class() -> Callable[[httpx2.Response], httpx2.Response]:
    import httpx2

    class Body(httpx2.SyncByteStream):
        """A response body as transmitted."""

        def __init__(self, response: httpx2.Response) -> None:
            self._response = response

        def __iter__(self) -> Iterator[bytes]:
            return self._response.iter_raw()

        def close(self) -> None:
            self._response.close()

    class BoundedResponse(httpx2.Response):
        def __init__(self, whole: httpx2.Response) -> None:
            super().__init__(
                whole.status_code,
                headers=whole.headers,
                stream=Body(whole),
                request=whole.request,
                extensions=whole.extensions,
            )

        def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
            pieces = super().iter_bytes(chunk_size)
            if self.is_stream_consumed:  # read before, within the bounds
                yield from pieces
                return
            try:
                yield from bounded(pieces, self.status_code, self.headers)
            finally:
                self.close()  # also where the rest is left out

    return BoundedResponse


def bounded(pieces: Iterator[bytes], status: int, headers: Any) -> Iterator[bytes]:
    """The decompressed pieces of a body, up to its limit. Raises AnswerNotTaken if an answer is longer; the rest of an
    error is left out."""
    is_error, is_stream = status >= 400, "event-stream" in headers.get("content-type", "")
    room = ERROR_BYTES if is_error else STREAM_BYTES if is_stream else ANSWER_BYTES
    line = 0
    for piece in pieces:
        if is_error:
            yield piece[:room]
        room -= len(piece)
        if is_error:
            if room <= 0:
                return
            continue
        if is_stream:
            line = _last_line(piece, line)
        if room < 0 or line > LINE_BYTES:
            raise AnswerNotTaken(
                "sent more than any model server does, so the rest was not read.",
                "Retry. If it happens again, look at what this server sends.",
            )
        yield piece


def _last_line(piece: bytes, before: int) -> int:
    """The length of the line that a piece leaves open, or of a whole one in it that is too long, in bytes."""
    if len(piece) + before <= LINE_BYTES and b"\n" not in piece and b"\r" not in piece:
        return before + len(piece)
    lengths = [len(line) for line in piece.splitlines(keepends=False)] or [0]
    lengths[0] += before
    open_line = 0 if piece.endswith((b"\n", b"\r")) else lengths[-1]
    longest = max(lengths)
    return longest if longest > LINE_BYTES else open_line


def _is_same_server(asked: httpx2.URL, sent_to: httpx2.URL) -> bool:
    """Whether a redirect stays on the server that was asked, or goes to the same server's encrypted port."""
    if asked.host != sent_to.host:
        return False
    if (asked.scheme, asked.port) == (sent_to.scheme, sent_to.port):
        return True
    return (asked.scheme, sent_to.scheme) == ("http", "https") and asked.port is None and sent_to.port is None


def _redirected(url: httpx2.URL, refuse_host: Callable[[str], None] | None) -> AnswerNotTaken:
    if refuse_host is not None:
        refuse_host(url.host)
    port = f":{url.port}" if url.port else ""
    return AnswerNotTaken(
        f"sends this on to another server, {url.host[:100]}{port}. Nothing was sent there.",
        "If you trust that server, set it as the base URL, then retry.",
    )
