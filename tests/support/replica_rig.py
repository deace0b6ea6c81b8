"""A replica with a scripted model behind it, a clock moved by hand, and the real SDKs pointed at it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anthropic
import httpx2
import openai
import pytest

from lib.providers.llama.process import LocalModel
from lib.replica.model import Backend
from lib.replica.server import ReplicaServer
from tests.support.openai_routes import Routes
from tests.support.replica_models import Behind
from tests.support.word_model import KEY, WordModel

WINDOW = 400


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Rig:
    """Everything a test needs."""

    words: WordModel
    replica: ReplicaServer
    clock: Clock
    openai: openai.OpenAI
    claude: anthropic.Anthropic
    http: httpx2.Client

    def contents(self) -> dict:
        return self.http.get("/replica/contents").json()

    def expire(self, identifier: str) -> httpx2.Response:
        return self.http.post("/replica/expire", json={"id": identifier})


def running(words: WordModel, clock: Clock, window: int = WINDOW) -> ReplicaServer:
    return ReplicaServer(lambda: Backend(words.url, KEY, "words-1"), window=window, reply_tokens=50, clock=clock)


@contextmanager
def clients(replica: ReplicaServer, words: WordModel, clock: Clock) -> Iterator[Rig]:
    plain = httpx2.Client(base_url=replica.url, headers={"Authorization": f"Bearer {replica.key}"}, timeout=30)
    with (
        plain as http,
        openai.OpenAI(base_url=f"{replica.url}/v1", api_key=replica.key, max_retries=0) as talk,
        anthropic.Anthropic(base_url=replica.url, api_key=replica.key, max_retries=0) as claude,
    ):
        yield Rig(words, replica, clock, talk, claude, http)


@contextmanager
def deprecated() -> Iterator[None]:
    """Around calls of the Assistants API, which warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.fixture(scope="session")
def behind(model: LocalModel) -> Iterator[Behind]:
    with Behind(model) as shim:
        yield shim


@pytest.fixture
def routes() -> Iterator[Routes]:
    with Routes() as server:
        yield server


@pytest.fixture
def words() -> Iterator[WordModel]:
    with WordModel() as scripted:
        yield scripted


@pytest.fixture
def rig(words: WordModel) -> Iterator[Rig]:
    clock = Clock()
    with running(words, clock) as replica, clients(replica, words, clock) as built:
        yield built
