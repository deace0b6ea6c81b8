"""A TCP proxy on this machine that delays what a server answers, or cuts connections at chosen bytes."""

from __future__ import annotations

import select
import socket
import threading
from pathlib import Path
from typing import Self

BYTES = 65_536


class TcpProxy:
    """Passes connections on to a unix socket. Start it with `with`; `port` is where it listens on 127.0.0.1.

    `latency` is the seconds by which each answer is late. While `cuts_left` is above 0, a connection is closed as soon
    as the client sends bytes that contain `cut_at`; `cuts` counts how often that happened. With `delivered` the server
    gets those bytes first and answers, and only the answer is lost.
    """

    def __init__(self, target: Path) -> None:
        self.latency = 0.0
        self.cut_at = b""
        self.cuts_left = 0
        self.cuts = 0
        self.delivered = False
        self._target = str(target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self.port = int(self._listener.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True, name="proxy").start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes up the thread that accepts
        self._listener.close()

    def cut(self, at: bytes, times: int, *, delivered: bool) -> None:
        """Cut the next `times` connections that send these bytes."""
        self.cut_at, self.cuts_left, self.delivered = at, times, delivered

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True, name="proxied").start()

    def _serve(self, client: socket.socket) -> None:
        upstream = socket.socket(socket.AF_UNIX)
        with client, upstream:
            try:
                upstream.connect(self._target)
                while not self._closed.is_set() and self._pass_on(client, upstream):
                    pass
            except OSError:
                return  # one side is gone, so the other one is closed too

    def _pass_on(self, client: socket.socket, upstream: socket.socket) -> bool:
        """Pass on what has arrived; whether the connection goes on."""
        for source in select.select([client, upstream], [], [], 0.1)[0]:
            data = source.recv(BYTES)
            if not data:
                return False
            if source is upstream:
                self._closed.wait(self.latency)
                client.sendall(data)
            elif self.cuts_left > 0 and self.cut_at in data:
                self.cuts_left -= 1
                self.cuts += 1
                if self.delivered:
                    upstream.sendall(data)
                    upstream.recv(BYTES)
                return False
            else:
                upstream.sendall(data)
        return True
