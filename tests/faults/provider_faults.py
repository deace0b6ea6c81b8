"""Faults of a model server: bombs, silence, and streams that do not end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from lib.providers import http_client
from tests.faults.fault import BOTH, fault
from tests.faults.stage import Stage
from tests.support.servers.local_server import Handler
from tests.support.servers.model_server import Behaviour, begin_stream, word_events

MEGABYTE = 1_000_000
BOMB_MEGABYTES = 300
LINE_MEGABYTES = 200
TIMEOUT_SECONDS = 1.5
"""Instead of five minutes, for the faults in which a server falls silent."""


@fault("The provider's answer is a compressed bomb: 300 MB in 300 kB", kinds=BOTH, bounded=True, slow=True)
def compressed_bomb(stage: Stage) -> None:
    def behave(handler: Handler) -> None:
        begin_stream(handler, Content_Encoding="gzip")
        handler.wfile.write(bomb(b"data: "))

    misbehaves(stage, behave)


@fault("The provider's answer is one line of 200 MB", kinds=BOTH, bounded=True, slow=True)
def endless_line(stage: Stage) -> None:
    def behave(handler: Handler) -> None:
        begin_stream(handler)
        handler.wfile.write(b"data: ")
        pour(stage, handler, LINE_MEGABYTES)

    misbehaves(stage, behave)


@fault("The provider fails (500) with an error text of 200 MB", kinds=BOTH, bounded=True, slow=True)
def huge_error(stage: Stage) -> None:
    def behave(handler: Handler) -> None:
        begin_stream(handler, 500, Content_Type="application/json")
        handler.wfile.write(b'{"error": {"message": "')
        pour(stage, handler, LINE_MEGABYTES)
        handler.wfile.write(b'"}}')

    misbehaves(stage, behave)


@fault("The provider fails (500) with a compressed bomb: 300 MB in 300 kB", kinds=BOTH, bounded=True, slow=True)
def compressed_error(stage: Stage) -> None:
    def behave(handler: Handler) -> None:
        begin_stream(handler, 500, Content_Type="application/json", Content_Encoding="gzip")
        handler.wfile.write(bomb(b'{"error": {"message": "'))

    misbehaves(stage, behave)


@fault("The provider streams words as fast as it can and never ends", kinds=BOTH, bounded=True, slow=True)
def flood(stage: Stage) -> None:
    def behave(handler: Handler) -> None:
        begin_stream(handler)
        words = " ".join(f"word-{number}" for number in range(1_000))  # no passage comes twice, so it is not a loop
        *events, word = word_events(handler, [words])[:-1][: 1 if "chat" in handler.path else 3]
        for event in events:
            handler.wfile.write(event)
        while not stage.model.lifted.is_set():
            handler.wfile.write(word)

    misbehaves(stage, behave)
    stage.draw()


@fault("The provider hangs after the first words, until the timeout", kinds=BOTH, slow=True)
def hangs_after_first_words(stage: Stage) -> None:
    with short_timeout():
        live = stage.begin("third")
        stage.wait(live)
        stage.model.pause_after = None
        stage.model.go_on.set()
        stage.settle(live)


@fault("The provider takes the request and says nothing, until the timeout", kinds=BOTH, slow=True)
def silence(stage: Stage) -> None:
    with short_timeout():
        misbehaves(stage, lambda handler: _wait(stage))


@fault("The provider's stream is slow and has no end; the person presses *Stop*", kinds=BOTH, slow=True)
def endless_stream(stage: Stage) -> None:
    def behave(handler: Handler) -> None:
        begin_stream(handler)
        events = word_events(handler, ["word "])
        word = next(event for event in events if b"word" in event)
        for event in events[: events.index(word)]:
            handler.wfile.write(event)
        while not stage.model.lifted.wait(0.02):
            handler.wfile.write(word)

    stage.model.behave = behave
    live = stage.send("third")
    assert live is not None
    stage.until(lambda: len(stage.text().split()) > 5)
    stage.stop()
    stage.wait(live)
    stage.model.lifted.set()
    stage.settle(live)


def misbehaves(stage: Stage, behave: Behaviour) -> None:
    """Send a message that is answered in this way, and retry it when the server behaves again."""
    stage.model.behave = behave
    live = stage.send("third")
    assert live is not None
    stage.wait(live)
    stage.model.lifted.set()
    stage.model.behave = None
    stage.settle(live)


def _wait(stage: Stage) -> None:
    stage.model.lifted.wait(60)


@cache
def bomb(beginning: bytes) -> bytes:
    """A gzip stream that unpacks to this and then very many letters."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(beginning)
    return packed + b"".join(packer.compress(b"x" * MEGABYTE) for _ in range(BOMB_MEGABYTES)) + packer.flush()


def pour(stage: Stage, handler: Handler, megabytes: int) -> None:
    """Send letters without a line end, until the client leaves or the fault is lifted."""
    for _ in range(megabytes):
        if stage.model.lifted.is_set():
            return
        handler.wfile.write(b"x" * MEGABYTE)


@contextmanager
def short_timeout() -> Iterator[None]:
    """Let the app give up on a silent server after a second or two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_client, "READ_SECONDS", TIMEOUT_SECONDS)
        http_client.forget_clients()
        yield
    http_client.forget_clients()
