"""The replica as a server: who may use it, what it holds, and how it starts, stops and fails."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from openai.types.beta.threads import Run

from lib.errors import ProviderUnavailable
from lib.replica.http_values import LABEL, Call, Events
from lib.replica.model import Backend, Model
from lib.replica.openai.responses import Responses
from lib.replica.server import ReplicaServer
from lib.replica.store import Conversation, Store
from tests.support.event_loops import run
from tests.support.server_history.connected_replica import (
    WINDOW,
    ConnectedReplica,
    HandClock,
    connected,
    item_texts,
    no_deprecation_warnings,
    replica_server,
)
from tests.support.servers.typist import Typist
from tests.support.servers.word_model import KEY, WordModel

ROOT = Path(__file__).parents[2]


def ask(replica: ConnectedReplica, text: str = "hi") -> openai.types.responses.Response:
    return replica.openai.responses.create(model="any", input=text)


def ask_claude(claude: anthropic.Anthropic) -> None:
    claude.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])


def new_run(replica: ConnectedReplica) -> Run:
    """A finished run of a new thread by a new assistant."""
    with no_deprecation_warnings():
        threads = replica.openai.beta.threads
        assistant = replica.openai.beta.assistants.create(model="any")
        thread = threads.create(messages=[{"role": "user", "content": "hi"}])
        return threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)


def test_a_wrong_key_is_refused_in_each_vendors_shape(replica: ConnectedReplica) -> None:
    with (
        openai.OpenAI(base_url=f"{replica.server.url}/v1", api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.conversations.create()
    assert caught.value.code == "invalid_api_key"
    with (
        anthropic.Anthropic(base_url=replica.server.url, api_key="sk-wrong", max_retries=0) as claude,
        pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"),
    ):
        ask_claude(claude)
    assert replica.model.bodies == []
    for path in ("/replica/contents", "/v1/models", "/nowhere", "/"):
        answer = httpx2.get(replica.server.url + path)
        assert answer.status_code == 401
        assert answer.headers["x-windowseat-replica"] == LABEL


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0", ""])
def test_other_host_names_are_refused(replica: ConnectedReplica, host: str) -> None:
    assert replica.http.get("/replica/contents", headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:8000"])
def test_host_names_of_this_machine_are_answered(replica: ConnectedReplica, host: str) -> None:
    assert replica.http.get("/replica/contents", headers={"Host": host}).status_code == 200


def test_web_pages_of_other_origins_cannot_read_its_responses(replica: ConnectedReplica) -> None:
    answer = replica.http.get("/replica/contents", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert replica.http.options("/v1/conversations", headers={"Origin": "http://evil.example"}).status_code == 404


def test_it_listens_on_this_machine_only_and_its_key_is_in_no_repr(replica: ConnectedReplica) -> None:
    port = int(replica.server.url.rsplit(":", 1)[1])
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
    assert replica.server.key not in repr(replica.server)
    assert len(replica.server.key) >= 32


@pytest.mark.parametrize("body", [b"not json", b"[1]", b'"x"', b"[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_refused(replica: ConnectedReplica, body: bytes) -> None:
    for path in ("/v1/responses", "/v1/messages"):
        answer = replica.http.post(path, content=body)
        assert answer.status_code == 400
        assert "JSON" in answer.json()["error"]["message"]


def test_a_body_that_is_too_large_is_refused(replica: ConnectedReplica) -> None:
    assert replica.http.post("/v1/responses", content=b" " * 8_000_001).status_code == 413


def test_an_unknown_url_is_refused_in_each_vendors_shape(replica: ConnectedReplica) -> None:
    answer = replica.http.post("/v1/files", json={})
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Invalid URL (POST /v1/files)")
    assert replica.http.get("/v1/messages/batches").json()["type"] == "error"


def test_contents_show_everything_and_looking_changes_nothing(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create(items=[{"role": "user", "content": "kept"}])
    response = replica.openai.responses.create(model="any", input="hi", conversation=conversation.id)
    replica.claude.beta.messages.create(
        model="m",
        max_tokens=9,
        messages=[{"role": "user", "content": "x"}],
        thread={"type": "create"},
        betas=["message-threads-2026-08-12"],
    )
    with no_deprecation_warnings():
        replica.openai.beta.assistants.create(model="any")
        replica.openai.beta.threads.create(messages=[{"role": "user", "content": "in a thread"}])
    contents = replica.contents()
    assert (contents["label"], contents["window"]) == (LABEL, WINDOW)
    assert [message["text"] for message in contents["conversations"][0]["messages"]] == ["kept", "hi", "fine thanks"]
    assert contents["responses"][0]["id"] == response.id
    assert contents["threads"][0]["messages"][0]["text"] == "in a thread"
    assert contents["message_threads"][0]["expires_in_seconds"] == 300
    assert len(contents["assistants"]) == 1
    assert replica.contents() == contents


def test_only_what_is_held_can_expire(replica: ConnectedReplica) -> None:
    assert replica.expire("conv_nothing").status_code == 404
    assert replica.http.post("/replica/expire", json={}).status_code == 400
    id_ = replica.openai.conversations.create().id
    assert replica.expire(id_).json() == {"object": "replica.expired", "id": id_, "expired": True}
    with pytest.raises(openai.NotFoundError):
        replica.openai.conversations.retrieve(id_)


def test_the_model_that_answers_is_listed(replica: ConnectedReplica) -> None:
    assert [model.id for model in replica.openai.models.list()] == ["words-1"]


def test_starting_twice_is_safe_and_conversations_survive_a_restart(word_model: WordModel) -> None:
    server = replica_server(word_model)
    server.start()
    url = server.url
    threads = [threading.Thread(target=server.start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.url == url
    with connected(server, word_model) as replica:
        id_ = replica.openai.conversations.create().id
    server.close()
    server.close()
    assert not server.running
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
    with server, connected(server, word_model) as replica:
        assert replica.openai.conversations.retrieve(id_).id == id_


def test_closing_cuts_off_a_reply_and_does_not_wait_for_it(word_model: WordModel) -> None:
    server = replica_server(word_model)
    with server, connected(server, word_model) as replica:
        stream = replica.waiting_stream("hi")
        server.close()
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
            list(stream)
    assert word_model.reader_left.wait(10)


def test_a_model_that_is_not_there_is_a_server_error(word_model: WordModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    with (
        ReplicaServer(lambda: Backend(f"http://127.0.0.1:{port}/v1", "k", "m")) as server,
        connected(server, word_model) as replica,
        pytest.raises(openai.InternalServerError, match="not reached"),
    ):
        ask(replica)


def test_a_model_that_cannot_start_says_why(word_model: WordModel) -> None:
    def backend() -> Backend:
        raise ProviderUnavailable("The file of the small model is not installed.")

    with ReplicaServer(backend) as server, connected(server, word_model) as replica:
        with pytest.raises(openai.InternalServerError, match="not installed"):
            ask(replica)
        with pytest.raises(anthropic.InternalServerError, match="not installed"):
            ask_claude(replica.claude)


def test_a_model_server_that_cannot_count_is_used_without_counting(word_model: WordModel) -> None:
    with Typist(words=3, seconds_per_word=0) as typist:
        backend = Backend(typist.url, "k", "typist-1")
        with ReplicaServer(lambda: backend, window=100) as server, connected(server, word_model) as replica:
            usage = ask(replica).usage
            assert usage is not None
            assert usage.input_tokens == 7  # as reported, not as estimated
            with pytest.raises(openai.InternalServerError, match="cannot count"):
                replica.openai.responses.input_tokens.count(model="any", input="hi")
            with pytest.raises(openai.BadRequestError):
                ask(replica, "x" * 800)  # an estimate still guards the window


def test_nothing_heavy_is_imported_before_it_starts() -> None:
    code = """
import json, sys
from lib.replica.server import ReplicaServer
ReplicaServer(lambda: None)
print(json.dumps([name for name in ("openai", "anthropic", "httpx2", "uvicorn", "starlette") if name in sys.modules]))
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == []


def test_many_people_at_once_each_keep_their_own_conversation(replica: ConnectedReplica) -> None:
    """Conversations, chains and message threads, side by side."""
    prompts: dict[str, list[str]] = {}

    def in_a_conversation(name: str) -> None:
        id_ = replica.openai.conversations.create().id
        for n in range(4):
            replica.openai.responses.create(model="any", input=f"{name} {n}", conversation=id_)
        items: list[Any] = list(replica.openai.conversations.items.list(id_, order="asc"))
        prompts[name] = item_texts(item for item in items if item.role == "user")

    def in_a_message_thread(name: str) -> None:
        thread = replica.claude.beta.messages.thread(model="m", max_tokens=9)
        for n in range(4):
            thread.send({"role": "user", "content": f"{name} {n}"})
        entries = replica.contents()["message_threads"]
        entry = next(entry for entry in entries if entry["id"] == thread.previous_message_id)
        prompts[name] = [message["text"] for message in entry["messages"] if message["role"] == "user"]

    def in_a_chain(name: str) -> None:
        previous = None
        for n in range(4):
            previous = replica.openai.responses.create(
                model="any", input=f"{name} {n}", previous_response_id=previous, instructions=f"for {name}"
            ).id
        own = [transcript for transcript in replica.model.transcripts if transcript[0] == ("system", f"for {name}")]
        prompts[name] = [text for role, text in own[-1] if role == "user"]

    kinds: tuple[Callable[[str], None], ...] = (in_a_conversation, in_a_message_thread, in_a_chain)
    people = [(kinds[n % 3], f"person{n}") for n in range(9)]
    with ThreadPoolExecutor(len(people)) as pool:
        for future in [pool.submit(kind, name) for kind, name in people]:
            future.result()
    assert prompts == {name: [f"{name} {n}" for n in range(4)] for _, name in people}


@pytest.mark.parametrize("line", [b"data: {broken", b"data: []", b'data: {"choices": [5]}', b'data: {"error": "x"}'])
def test_a_model_that_answers_nonsense_fails_the_turn(replica: ConnectedReplica, line: bytes) -> None:
    replica.model.nonsense = line
    with pytest.raises(openai.InternalServerError):
        ask(replica)
    failed = new_run(replica)
    assert (failed.status, failed.last_error and failed.last_error.code) == ("failed", "server_error")
    replica.model.nonsense = b""
    with no_deprecation_warnings():
        again = replica.openai.beta.threads.runs.create_and_poll(
            thread_id=failed.thread_id, assistant_id=failed.assistant_id
        )
    assert again.status == "completed"


def test_a_full_conversation_accepts_no_more_and_can_still_be_deleted(
    replica: ConnectedReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.replica.openai.conversations.MOST_CHARACTERS_OF_ONE", 1000)
    conversations = replica.openai.conversations
    id_ = conversations.create(items=[{"role": "user", "content": "x" * 1000}]).id
    with pytest.raises(openai.BadRequestError, match="is full"):
        conversations.items.create(id_, items=[{"role": "user", "content": "more"}])
    assert conversations.delete(id_).deleted


def test_a_conversation_is_unlocked_before_the_last_event(word_model: WordModel) -> None:
    store, conversation = Store(), Conversation("conv_1")
    store.put(conversation)
    model = Model(lambda: Backend(word_model.url, KEY, "words-1"), window=WINDOW, reply_tokens=50)

    async def read() -> list[tuple[str, bool]]:
        """The first line of every event, and whether the conversation was locked then."""
        request = Call({}, {}, {}, {"model": "m", "input": "hi", "conversation": "conv_1", "stream": True})
        answer = await Responses(store, model, HandClock()).create(request)
        assert isinstance(answer, Events)
        events = [(event.decode().split("\n")[0], conversation.busy) async for event in answer.events]
        await model.close()
        return events

    events = run(read())
    assert events[0] == ("event: response.created", True)
    assert events[-1] == ("event: response.completed", False)
    assert len(conversation.items) == 2


def test_a_bug_fails_the_run_and_frees_the_thread(
    replica: ConnectedReplica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(prefix: str) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr("lib.replica.openai.run_worker.short_id", broken)
    failed = new_run(replica)
    assert (failed.status, failed.last_error and failed.last_error.code) == ("failed", "server_error")
    assert replica.contents()["threads"][0]["active_run"] is None
    assert "RuntimeError: a bug" in caplog.text
