"""The replica as a server: who may talk to it, what it holds, how much, and how it starts and stops."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ProviderUnavailable
from lib.replica.http_values import LABEL, Call, Events
from lib.replica.model import Backend, Model
from lib.replica.openai.responses import Responses
from lib.replica.openai.run_worker import Running
from lib.replica.server import ReplicaServer
from lib.replica.store import Conversation, Store, StoredObject
from lib.replica.truncation import fitted, without_middle, without_oldest
from tests.support.replica_rig import Clock, Rig, clients, deprecated, running
from tests.support.typist import Typist
from tests.support.word_model import KEY, WordModel

ROOT = Path(__file__).parents[2]


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: the browser of other tests keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_a_wrong_key_is_refused_in_each_vendors_shape(rig: Rig) -> None:
    with (
        openai.OpenAI(base_url=f"{rig.replica.url}/v1", api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.conversations.create()
    assert caught.value.code == "invalid_api_key"
    with (
        anthropic.Anthropic(base_url=rig.replica.url, api_key="sk-wrong", max_retries=0) as claude,
        pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"),
    ):
        claude.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
    assert rig.words.bodies == []
    for path in ("/replica/contents", "/v1/models", "/nowhere", "/"):
        answer = httpx2.get(rig.replica.url + path)
        assert answer.status_code == 401
        assert answer.headers["x-windowseat-replica"] == LABEL


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0", ""])
def test_only_names_of_this_machine_are_answered(rig: Rig, host: str) -> None:
    assert rig.http.get("/replica/contents", headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:8000"])
def test_its_own_names_are_answered(rig: Rig, host: str) -> None:
    assert rig.http.get("/replica/contents", headers={"Host": host}).status_code == 200


def test_pages_of_other_origins_may_not_read_its_answers(rig: Rig) -> None:
    answer = rig.http.get("/replica/contents", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert rig.http.options("/v1/conversations", headers={"Origin": "http://evil.example"}).status_code == 404


def test_it_listens_on_this_machine_only_and_its_key_is_in_no_repr(rig: Rig) -> None:
    port = int(rig.replica.url.rsplit(":", 1)[1])
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
    assert rig.replica.key not in repr(rig.replica)
    assert len(rig.replica.key) >= 32


@pytest.mark.parametrize("body", [b"not json", b"[1]", b'"x"', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(rig: Rig, body: bytes) -> None:
    for path in ("/v1/responses", "/v1/messages"):
        answer = rig.http.post(path, content=body)
        assert answer.status_code == 400
        assert "JSON" in answer.json()["error"]["message"]


def test_a_body_that_is_too_large_is_refused(rig: Rig) -> None:
    assert rig.http.post("/v1/responses", content=b" " * 8_000_001).status_code == 413


def test_unknown_addresses_are_not_found_in_each_vendors_shape(rig: Rig) -> None:
    answer = rig.http.post("/v1/files", json={})
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Invalid URL (POST /v1/files)")
    assert rig.http.get("/v1/messages/batches").json()["type"] == "error"


def test_contents_show_everything_and_looking_changes_nothing(rig: Rig) -> None:
    talk = rig.openai.conversations.create(items=[{"role": "user", "content": "kept"}])
    made = rig.openai.responses.create(model="any", input="hi", conversation=talk.id)
    rig.claude.beta.messages.create(
        model="m",
        max_tokens=9,
        messages=[{"role": "user", "content": "x"}],
        thread={"type": "create"},
        betas=["message-threads-2026-08-12"],
    )
    with deprecated():
        rig.openai.beta.assistants.create(model="any")
        rig.openai.beta.threads.create(messages=[{"role": "user", "content": "in a thread"}])
    shown = rig.contents()
    assert (shown["label"], shown["window"]) == (LABEL, 400)
    assert [message["text"] for message in shown["conversations"][0]["messages"]] == ["kept", "hi", "fine thanks"]
    assert shown["responses"][0]["id"] == made.id
    assert shown["threads"][0]["messages"][0]["text"] == "in a thread"
    assert shown["message_threads"][0]["expires_in_seconds"] == 300
    assert len(shown["assistants"]) == 1
    assert rig.contents() == shown


def test_expiring_wants_something_that_is_held(rig: Rig) -> None:
    assert rig.expire("conv_nothing").status_code == 404
    assert rig.http.post("/replica/expire", json={}).status_code == 400
    talk = rig.openai.conversations.create()
    assert rig.expire(talk.id).json() == {"object": "replica.expired", "id": talk.id, "expired": True}
    with pytest.raises(openai.NotFoundError):
        rig.openai.conversations.retrieve(talk.id)


def test_the_model_that_answers_is_listed(rig: Rig) -> None:
    assert [model.id for model in rig.openai.models.list()] == ["words-1"]


def test_starting_twice_is_safe_and_what_is_held_outlives_a_restart(words: WordModel) -> None:
    replica = running(words, Clock())
    replica.start()
    url = replica.url
    threads = [threading.Thread(target=replica.start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replica.url == url
    with clients(replica, words, Clock()) as rig:
        talk = rig.openai.conversations.create()
    replica.close()
    replica.close()
    assert not replica.running
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
    with replica, clients(replica, words, Clock()) as rig:
        assert rig.openai.conversations.retrieve(talk.id).id == talk.id


def test_closing_cuts_off_a_reply_and_does_not_wait_for_it(words: WordModel) -> None:
    words.gate = threading.Event()
    replica = running(words, Clock())
    with replica, clients(replica, words, Clock()) as rig:
        stream = rig.openai.responses.create(model="any", input="hi", stream=True)
        next(event for event in stream if event.type == "response.output_text.delta")
        replica.close()
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
            list(stream)
    assert words.cut_off.wait(10)


def test_a_model_that_is_not_there_is_an_error_of_the_server(words: WordModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        ReplicaServer(lambda: Backend(f"http://127.0.0.1:{port}/v1", "k", "m")) as replica,
        clients(replica, words, Clock()) as rig,
        pytest.raises(openai.InternalServerError, match="not reached"),
    ):
        rig.openai.responses.create(model="any", input="hi")


def test_a_model_that_cannot_be_started_says_why(words: WordModel) -> None:
    def backend() -> Backend:
        raise ProviderUnavailable("The file of the small model is not installed.")

    with ReplicaServer(backend) as replica, clients(replica, words, Clock()) as rig:
        with pytest.raises(openai.InternalServerError, match="not installed"):
            rig.openai.responses.create(model="any", input="hi")
        with pytest.raises(anthropic.InternalServerError, match="not installed"):
            rig.claude.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])


def test_a_server_that_cannot_count_is_used_without_counting(words: WordModel) -> None:
    with Typist(words=3, seconds_per_word=0) as typist:
        backend = Backend(typist.url, "k", "typist-1")
        with ReplicaServer(lambda: backend, window=100) as replica, clients(replica, words, Clock()) as rig:
            made = rig.openai.responses.create(model="any", input="hi")
            assert made.usage is not None
            assert made.usage.input_tokens == 7  # as reported, not as estimated
            with pytest.raises(openai.InternalServerError, match="cannot count"):
                rig.openai.responses.input_tokens.count(model="any", input="hi")
            with pytest.raises(openai.BadRequestError):
                rig.openai.responses.create(model="any", input="x" * 800)  # but an estimate still guards the window


def test_nothing_heavy_is_imported_before_it_starts() -> None:
    code = """
import json, sys
from lib.replica.server import ReplicaServer
ReplicaServer(lambda: None)
print(json.dumps([name for name in ("openai", "anthropic", "httpx2", "uvicorn", "starlette") if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_the_store_forgets_what_was_used_longest_ago() -> None:
    store = Store(most_entries=3, most_characters=100)
    for name in "abc":
        store.put(Conversation(name), 10)
    store.get(Conversation, "a")
    store.put(Conversation("d"), 10)
    assert [entry.id for entry in store.all(StoredObject)] == ["c", "a", "d"]
    next(entry for entry in store.all(StoredObject) if entry.id == "c").busy = True
    store.put(Conversation("e"), 90)
    assert {entry.id for entry in store.all(StoredObject)} == {"c", "e"}  # never what is being written to


@given(st.lists(st.tuples(st.sampled_from("pgd"), st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_the_store_is_bounded_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    store = Store(most_entries=4, most_characters=100)
    for what, name, size in steps:
        if what == "p":
            store.put(Conversation(f"{name}"), size) if store.get(Conversation, f"{name}") is None else None
        elif what == "g" and (entry := store.get(Conversation, f"{name}")) is not None:
            store.grow(entry, size)
        elif what == "d":
            store.drop(f"{name}")
        held = list(store.all(StoredObject))
        assert len(held) <= 4
        assert sum(entry.characters for entry in held) <= 100 or len(held) == 1


@pytest.mark.parametrize("without", [without_oldest, without_middle])
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(0, 300))
def test_as_few_as_possible_are_left_out_and_never_the_newest(
    without: Callable[[list[int], int], list[int]], sizes: list[int], budget: int
) -> None:
    asked = 0

    async def fits(kept: list[int]) -> bool:
        nonlocal asked
        asked += 1
        return sum(kept) <= budget

    entries = list(enumerate(sizes))

    async def fits_entries(kept: list[tuple[int, int]]) -> bool:
        return await fits([size for _, size in kept])

    kept = run(fitted(entries, without, fits_entries))  # type: ignore[arg-type]
    assert asked <= 9
    if kept is None:
        assert sizes[-1] > budget
        return
    assert kept[-1] == entries[-1]
    assert sum(size for _, size in kept) <= budget
    dropped = len(entries) - len(kept)
    assert dropped == 0 or sum(size for _, size in without(entries, dropped - 1)) > budget  # type: ignore[misc, arg-type]


def test_the_middle_goes_first_and_the_ends_stay() -> None:
    assert without_middle([1, 2, 3, 4, 5], 1) == [1, 2, 4, 5]
    assert without_middle([1, 2, 3, 4, 5], 3) == [1, 5]
    assert without_middle([1, 2], 1) == [2]
    assert without_oldest([1, 2, 3], 2) == [3]


def test_many_people_at_once_each_keep_their_own(rig: Rig) -> None:
    """Conversations, chains, threads and message threads, side by side."""
    heard: dict[str, list[str]] = {}

    def in_a_conversation(name: str) -> None:
        held = rig.openai.conversations.create()
        for n in range(4):
            rig.openai.responses.create(model="any", input=f"{name} {n}", conversation=held.id)
        items = rig.openai.conversations.items.list(held.id, order="asc")
        heard[name] = [item.content[0].text for item in items if item.role == "user"]  # type: ignore[union-attr]

    def in_a_message_thread(name: str) -> None:
        held = rig.claude.beta.messages.thread(model="m", max_tokens=9)
        for n in range(4):
            held.send({"role": "user", "content": f"{name} {n}"})
        contents = [entry for entry in rig.contents()["message_threads"] if entry["id"] == held.previous_message_id]
        heard[name] = [message["text"] for message in contents[0]["messages"] if message["role"] == "user"]

    def in_a_chain(name: str) -> None:
        previous = None
        for n in range(4):
            previous = rig.openai.responses.create(
                model="any", input=f"{name} {n}", previous_response_id=previous, instructions=f"for {name}"
            ).id
        sent = [said for said in rig.words.transcripts if said[0] == ("system", f"for {name}")]
        heard[name] = [text for role, text in sent[-1] if role == "user"]

    kinds = (in_a_conversation, in_a_message_thread, in_a_chain)
    people = [(kinds[n % 3], f"person{n}") for n in range(9)]
    with ThreadPoolExecutor(len(people)) as pool:
        for done in [pool.submit(kind, name) for kind, name in people]:
            done.result()
    assert heard == {name: [f"{name} {n}" for n in range(4)] for _, name in people}


@pytest.mark.parametrize("line", [b"data: {broken", b"data: []", b'data: {"choices": [5]}', b'data: {"error": "x"}'])
def test_a_model_that_answers_nonsense_fails_the_turn_and_frees_the_thread(words: WordModel, line: bytes) -> None:
    words.nonsense = line
    with running(words, Clock()) as replica, clients(replica, words, Clock()) as rig:
        with pytest.raises(openai.InternalServerError):
            rig.openai.responses.create(model="any", input="hi")
        with deprecated():
            who = rig.openai.beta.assistants.create(model="any")
            held = rig.openai.beta.threads.create(messages=[{"role": "user", "content": "hi"}])
            done = rig.openai.beta.threads.runs.create_and_poll(thread_id=held.id, assistant_id=who.id)
            assert (done.status, done.last_error and done.last_error.code) == ("failed", "server_error")
            words.nonsense = b""
            again = rig.openai.beta.threads.runs.create_and_poll(thread_id=held.id, assistant_id=who.id)
        assert again.status == "completed"


def test_a_conversation_that_is_full_takes_no_more_and_can_still_be_deleted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.replica.openai.conversations.MOST_OF_ONE", 1000)
    held = rig.openai.conversations.create(items=[{"role": "user", "content": "x" * 1000}])
    with pytest.raises(openai.BadRequestError, match="is full"):
        rig.openai.conversations.items.create(held.id, items=[{"role": "user", "content": "more"}])
    assert rig.openai.conversations.delete(held.id).deleted


def test_a_conversation_is_free_again_before_its_reader_hears_of_the_end(words: WordModel) -> None:
    store, held = Store(), Conversation("conv_1")
    store.put(held)
    model = Model(lambda: Backend(words.url, KEY, "words-1"), window=400, reply_tokens=50)

    async def read() -> list[tuple[str, bool]]:
        asked = Call({}, {}, {}, {"model": "m", "input": "hi", "conversation": "conv_1", "stream": True})
        answer = await Responses(store, model, Clock()).create(asked)
        assert isinstance(answer, Events)
        seen = [(event.decode().split("\n")[0], held.busy) async for event in answer.events]
        await model.close()
        return seen

    seen = run(read())
    assert seen[0] == ("event: response.created", True)
    assert seen[-1] == ("event: response.completed", False)
    assert len(held.items) == 2


def test_an_error_of_ours_fails_the_run_and_frees_the_thread(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Running, piece: str) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(Running, "_write", broken)
    with deprecated():
        who = rig.openai.beta.assistants.create(model="any")
        held = rig.openai.beta.threads.create(messages=[{"role": "user", "content": "hi"}])
        done = rig.openai.beta.threads.runs.create_and_poll(thread_id=held.id, assistant_id=who.id)
    assert (done.status, done.last_error and done.last_error.code) == ("failed", "server_error")
    assert rig.contents()["threads"][0]["active_run"] is None
    assert "RuntimeError: ours" in caplog.text
