"""A replica with a scripted model behind it, a clock moved by hand, and the real SDKs pointed at it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from lib.providers.llama.process import LocalModel
from lib.replica.model import Backend
from lib.replica.server import ReplicaServer
from tests.support.server_history.replica_models import RecordingModel
from tests.support.servers.openai_routes import Routes
from tests.support.servers.word_model import KEY, WordModel

WINDOW = 400
"""Tokens of the model behind the replica."""


@dataclass
class HandClock:
    """A clock moved by hand, in seconds since 1970."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class ConnectedReplica:
    """A running replica, the model behind it, its clock, and one client of each kind."""

    model: WordModel
    server: ReplicaServer
    clock: HandClock
    openai: openai.OpenAI
    claude: anthropic.Anthropic
    http: httpx2.Client

    def contents(self) -> dict[str, Any]:
        """What the replica says it holds."""
        contents: dict[str, Any] = self.http.get("/replica/contents").json()
        return contents

    def waiting_stream(self, text: str, **fields: Any) -> Any:
        """A streamed response that has written its first word and waits for the model's gate."""
        self.model.gate = threading.Event()
        stream: Any = self.openai.responses.create(model="any", input=text, stream=True, **fields)
        next(event for event in stream if event.type == "response.output_text.delta")
        return stream

    def expire(self, id_: str) -> httpx2.Response:
        """Make the replica forget an id."""
        return self.http.post("/replica/expire", json={"id": id_})


def item_texts(items: Iterable[Any]) -> list[str]:
    """The texts of items of Responses or Conversations."""
    return [item.content[0].text for item in items]


def replica_server(word_model: WordModel, clock: HandClock | None = None) -> ReplicaServer:
    """A replica with this model behind it; not started."""
    return ReplicaServer(
        lambda: Backend(word_model.url, KEY, "words-1"), window=WINDOW, reply_tokens=50, clock=clock or HandClock()
    )


@contextmanager
def connected(
    server: ReplicaServer, word_model: WordModel, clock: HandClock | None = None
) -> Iterator[ConnectedReplica]:
    """Clients for a replica that runs."""
    with (
        httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=30) as http,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as openai_client,
        anthropic.Anthropic(base_url=server.url, api_key=server.key, max_retries=0) as claude,
    ):
        yield ConnectedReplica(word_model, server, clock or HandClock(), openai_client, claude, http)


@contextmanager
def no_deprecation_warnings() -> Iterator[None]:
    """Around calls of the Assistants API, which warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.fixture(scope="session")
def recording_model(model: LocalModel) -> Iterator[RecordingModel]:
    """The embedded model behind the servers under test."""
    with RecordingModel(model) as server:
        yield server


@pytest.fixture
def routes() -> Iterator[Routes]:
    """A server whose answers the test sets."""
    with Routes() as server:
        yield server


@pytest.fixture
def word_model() -> Iterator[WordModel]:
    """A scripted model that counts words."""
    with WordModel() as server:
        yield server


@pytest.fixture
def replica(word_model: WordModel) -> Iterator[ConnectedReplica]:
    """A running replica on the scripted model."""
    clock = HandClock()
    with replica_server(word_model, clock) as server, connected(server, word_model, clock) as replica:
        yield replica
