"""Servers on this machine: found while they answer, and never waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lib.providers.local_servers import LONGEST_NAME, MOST_BYTES, MOST_MODELS, LocalServers, models_at
from lib.settings import Endpoint
from tests.support.servers.local_server import Handler, LocalServer
from tests.support.servers.redis_servers import free_port


class ModelServer(LocalServer):
    """Answers GET /v1/models with `answer`, once `gate` is open."""

    def __init__(self) -> None:
        self.answer: Any = {"data": [{"id": "qwen3:8b"}, {"id": "gemma3:4b"}]}
        self.raw: bytes | None = None
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[tuple[str, str, str | None]] = []
        server = self

        class Answering(Handler):
            def serve(self) -> None:
                server.asked.append((self.command, self.path, self.headers.get("Authorization")))
                server.gate.wait(30)
                if server.raw is not None:
                    self.answer(server.status, server.raw)
                else:
                    self.answer_json(server.status, server.answer)

        super().__init__(Answering)

    def __exit__(self, *exc: object) -> None:
        self.gate.set()
        super().__exit__(*exc)

    def endpoint(self, name: str = "ollama") -> Endpoint:
        return Endpoint(name, "openai", name, base_url=f"{self.origin}/v1")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def test_a_server_that_answers_is_found_with_its_models(server: ModelServer) -> None:
    nobody = Endpoint("lm-studio", "openai", "LM Studio", base_url=f"http://127.0.0.1:{free_port()}/v1")
    servers = LocalServers([nobody, server.endpoint()])
    assert servers.look() == {"ollama": ("qwen3:8b", "gemma3:4b")}
    assert server.asked == [("GET", "/v1/models", None)]


def test_reading_what_was_found_never_waits_and_looks_in_the_background(server: ModelServer) -> None:
    server.gate.clear()
    servers = LocalServers([server.endpoint()])
    assert servers.models() == {}  # returns although the server does not answer yet
    server.gate.set()
    assert servers.look() == {"ollama": ("qwen3:8b", "gemma3:4b")}  # joins the look that is under way, or makes one
    assert servers.models() == {"ollama": ("qwen3:8b", "gemma3:4b")}


def test_it_is_asked_again_only_after_a_while_and_forgotten_when_it_is_gone(server: ModelServer) -> None:
    now = [0.0]
    servers = LocalServers([server.endpoint()], lambda: now[0])
    servers.look()
    for _ in range(5):
        servers.models()
    assert len(server.asked) == 1
    now[0], server.status = 60.0, 500
    servers.models()
    servers.look()
    assert len(server.asked) >= 2
    assert servers.models() == {}


def test_a_server_that_is_late_holds_up_nobody_else(server: ModelServer) -> None:
    with ModelServer() as slow:
        slow.gate.clear()
        servers = LocalServers([slow.endpoint("slow"), server.endpoint()])
        assert servers.look() == {"ollama": ("qwen3:8b", "gemma3:4b")}


def test_without_servers_to_look_for_no_thread_starts() -> None:
    assert LocalServers([]).models() == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "local-servers"]


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        "text",
        {"data": None},
        {"data": {"id": "x"}},
        {"data": [None, 3, {"id": None}, {"id": ""}, {"id": "two\nlines"}, {"id": "x" * (LONGEST_NAME + 1)}]},
        {"data": [{"id": "nomic-embed-text"}, {"id": "Embedding-1"}]},
    ],
)
def test_what_is_no_list_of_chat_models_is_not_offered(server: ModelServer, answer: Any) -> None:
    server.answer = answer
    assert models_at(server.endpoint().base_url or "") == ()


@pytest.mark.parametrize("raw", [b"<html>", b"\xff\xfe", b"[" * 100_000, b" " * (MOST_BYTES + 2)])
def test_neither_is_a_page_or_an_endless_answer(server: ModelServer, raw: bytes) -> None:
    server.raw = raw
    assert models_at(server.endpoint().base_url or "") == ()


def test_a_long_list_is_cut_and_a_redirect_is_not_followed(server: ModelServer) -> None:
    server.answer = {"data": [{"id": f"m{number}"} for number in range(MOST_MODELS + 50)]}
    assert len(models_at(server.endpoint().base_url or "")) == MOST_MODELS
    server.status = 302
    assert models_at(server.endpoint().base_url or "") == ()
