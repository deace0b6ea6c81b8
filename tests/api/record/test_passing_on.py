"""What the recorder passes on: bytes, headers, errors and endings, whatever it can read of them."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from lib.api.record import MOST_BYTES
from lib.errors import HistoryUnavailable
from lib.history.memory import InMemoryHistory
from tests.support.servers.record_server import RecordServer, client, recording
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.upstream import STREAM, Answer, chat_stream, claude, completion, whole
from tests.support.waiting import wait_until

CHAT, CLAUDE = "/v1/chat/completions", "/v1/messages"
KEY = "sk-secret-0123456789abcdef"


def body(*texts: str, **fields: Any) -> dict[str, Any]:
    return {"model": "model-1", "messages": [{"role": "user", "content": text} for text in texts], **fields}


@pytest.fixture
def http(served: RecordServer) -> Iterator[httpx2.Client]:
    with client(served) as found:
        yield found


def test_bytes_and_headers_pass_in_both_directions(served: RecordServer, http: httpx2.Client) -> None:
    odd = b' { "model":"m\\u00f6", "messages":[{"content":"hi","role":"user"}],\n "temperature":0.70, "x":1e2 }'
    answer = b'{ "choices": [ {"index":0,"message":{"role":"assistant","content":"yo"}} ] }'
    served.upstream.then(
        Answer([answer], headers={"X-Request-Id": "r1", "Set-Cookie": "a=b", "Connection": "X-Hop", "X-Hop": "1"})
    )
    headers = {
        "authorization": f"Bearer {KEY}",
        "openai-organization": "org",
        "x-windowseat-endpoint": "openai",
        "connection": "close, x-mine",
        "x-mine": "1",
        "cookie": "c=d",
    }
    response = http.post(f"{CHAT}?api-version=2&b=%20", content=odd, headers=headers)
    assert response.content == answer
    assert (response.headers["x-request-id"], response.headers["set-cookie"]) == ("r1", "a=b")
    assert "x-hop" not in response.headers
    arrived = served.upstream.last
    assert (arrived.body, arrived.path) == (odd, "/v1/chat/completions?api-version=2&b=%20")
    assert arrived.header("authorization") == f"Bearer {KEY}"
    assert (arrived.header("openai-organization"), arrived.header("cookie")) == ("org", "c=d")
    assert arrived.header("user-agent") == http.headers["user-agent"]
    assert arrived.header("accept-encoding") == http.headers["accept-encoding"]
    assert not [name for name, _ in arrived.headers if name.lower() in ("x-windowseat-endpoint", "x-mine")]
    turn = served.turns(1)[0]
    assert (turn.reply, turn.recorded.url if turn.recorded else "") == ("yo", f"{served.upstream.origin}{CHAT}")
    assert [each.proof for each in served.rebuilt(served.done(1)[0].session_id) if each] == ["values"]


def test_a_compressed_answer_passes_as_it_is_and_is_read(served: RecordServer, http: httpx2.Client) -> None:
    packed = gzip.compress(json.dumps(completion("Hi!")).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    served.upstream.then(Answer([packed[:20], packed[20:]], headers=headers))
    with http.stream("POST", CHAT, json=body("Hello")) as response:
        assert b"".join(response.iter_raw()) == packed
    assert served.turns(1)[0].reply == "Hi!"
    served.upstream.then(Answer([b"\x1b\x00\x00"], headers={**headers, "Content-Encoding": "br"}))
    with http.stream("POST", CHAT, json=body("Bonjour")) as response:
        assert b"".join(response.iter_raw()) == b"\x1b\x00\x00"
    assert "compressed with “br”" in served.turns(2)[0].note


def test_an_uncompressed_answer_is_not_compressed_on_the_way(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(whole(completion("Hi! " * 999)))
    with http.stream("POST", CHAT, json=body("Hello"), headers={"accept-encoding": "gzip"}) as response:
        assert "content-encoding" not in response.headers
        assert b"".join(response.iter_raw()) == json.dumps(completion("Hi! " * 999)).encode()


def test_a_stream_comes_piece_by_piece_and_is_seen_while_it_comes(served: RecordServer, http: httpx2.Client) -> None:
    gate = threading.Event()
    served.upstream.then(chat_stream("One ", "two", gate=gate))
    with http.stream("POST", CHAT, json=body("Count", stream=True)) as response:
        pieces = response.iter_raw()
        assert b"One " in next(pieces)  # and the rest has not even been sent
        session_id = served.recorder.entries.newest(served.store)[0].session_id or "none"

        def seen() -> bool:
            nonlocal session_id
            session_id = served.recorder.entries.newest(served.store)[0].session_id
            live = served.store.live(session_id) if session_id else None
            return live is not None and (live.text, live.prompt, live.via) == ("One ", "Count", "record")

        wait_until(seen, "the live turn")
        gate.set()
        assert b"two" in b"".join(pieces)
    assert served.turns(1)[0].reply == "One two"
    assert served.store.live(session_id) is None


def test_a_client_that_leaves_ends_the_request(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(chat_stream("One ", "two", gate=threading.Event()))
    with http.stream("POST", CHAT, json=body("Count", stream=True)) as response:
        next(response.iter_raw())
    assert served.upstream.left.wait(10)
    turn = served.turns(1)[0]
    assert (turn.reply, turn.status, turn.stop_reason) == ("One ", "stopped", "left")
    assert "closed the connection" in turn.note
    served.upstream.left.clear()
    served.upstream.then(Answer([b"", b"{}"], gate=threading.Event(), gate_before=0))
    with pytest.raises(httpx2.ReadTimeout):  # it leaves before the answer has begun
        http.post(CHAT, json=body("Hello"), timeout=0.3)
    served.done(2)


def test_a_person_can_stop_it_on_a_page(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(chat_stream("One ", "two", gate=threading.Event()))
    with http.stream("POST", CHAT, json=body("Count", stream=True), headers={"x-windowseat-session": "s"}) as response:
        pieces = response.iter_raw()
        next(pieces)
        wait_until(lambda: served.store.live("s") is not None, "the live turn")
        live = served.store.live("s")
        assert live is not None
        served.store.request_stop("s", live.id)
        with pytest.raises(httpx2.RemoteProtocolError):
            list(pieces)
    assert "stopped on a page" in served.turns(1)[0].note


def test_a_server_that_breaks_off_breaks_off_here_too(served: RecordServer, http: httpx2.Client) -> None:
    half = chat_stream("One ", "two")
    served.upstream.then(Answer(half.pieces[:1], headers=STREAM, cut=True))
    with (
        http.stream("POST", CHAT, json=body("Count", stream=True)) as response,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        response.read()
    turn = served.turns(1)[0]
    assert (turn.reply, turn.status) == ("One ", "stopped")
    assert "broke off" in turn.note


def test_what_is_no_answer_of_a_model_passes_and_the_turn_says_so(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(Answer([b"<html>busy</html>"], headers={"Content-Type": "text/html"}))
    assert http.post(CHAT, json=body("Hello")).content == b"<html>busy</html>"
    turn = served.turns(1)[0]
    assert (turn.reply, turn.status) == ("", "stopped")
    assert "not JSON" in turn.note
    served.upstream.then(whole(completion("Hi!")))
    for data in (b"no json", b'{"model":"m"}', b"[" * 100_000, b'{"messages":[NaN]}'):
        assert http.post(CHAT, content=data).status_code == 200
        assert served.upstream.last.body == data
    entries = served.done(5)[1:]
    assert {entry.state for entry in entries} == {"passed on"}
    assert all("not recorded. The body" in entry.note for entry in entries)
    assert len(served.store.sessions(10)) == 1


def test_redirects_are_passed_on_and_not_followed(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(Answer([], 307, {"Location": f"{served.upstream.origin}/elsewhere"}))
    response = http.post(CHAT, json=body("Hello"), follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, f"{served.upstream.origin}/elsewhere")
    served.done(1)
    assert len(served.upstream.received) == 1


def test_a_server_that_is_not_reached_is_an_error_of_the_vendors_kind(
    served: RecordServer, http: httpx2.Client
) -> None:
    response = http.post(CHAT, json=body("Hello"), headers={"x-windowseat-endpoint": "nowhere"})
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["code"]) == (502, "server_error", "upstream_unreachable")
    turn = served.turns(1)[0]
    assert (turn.status, turn.reply, turn.provider) == ("stopped", "", "nowhere")
    assert "was not reached" in turn.note


def test_the_model_on_this_machine_needs_no_key(served: RecordServer, http: httpx2.Client) -> None:
    served.recorder.targets.clear()
    served.upstream.then(whole(claude({"type": "text", "text": "Hi!"})))
    http.post(CLAUDE, json=body("Hello"), headers={"x-api-key": KEY, "authorization": f"Bearer {KEY}"})
    arrived = served.upstream.last
    assert (arrived.path, arrived.header("authorization")) == (CLAUDE, "Bearer key-of-the-model-here")
    assert arrived.header("x-api-key") is None
    assert served.turns(1)[0].usage_provenance == "counted"


def test_models_are_listed_by_the_provider_that_is_meant(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(whole({"object": "list", "data": []}))
    assert http.get("/v1/models?limit=2").json() == {"object": "list", "data": []}
    assert (served.upstream.last.method, served.upstream.last.path) == ("GET", "/v1/models?limit=2")
    served.recorder.targets["anthropic"] = "local"
    http.get("/v1/models/claude-1", headers={"anthropic-version": "2023-06-01"})
    assert served.upstream.last.header("authorization") == "Bearer key-of-the-model-here"
    assert served.recorder.entries.newest(served.store) == []


@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        (CHAT, {"origin": "https://evil.example"}, 403, "another origin"),
        (CHAT, {"sec-fetch-site": "cross-site"}, 403, "another origin"),
        (CHAT, {"host": "evil.example"}, 403, "Host header"),
        (CHAT, {"x-forwarded-for": "1.2.3.4", "host": "evil.example"}, 403, "other machines"),
        (CHAT, {"x-windowseat-endpoint": "anthropic"}, 400, "local, openai, nowhere"),
        (CHAT, {"x-windowseat-session": "a b"}, 400, "X-Windowseat-Session"),
        (CLAUDE, {"x-windowseat-endpoint": "openai"}, 400, "local, anthropic"),
        ("/v1/embeddings", {}, 404, "Only /v1/chat/completions"),
    ],
)
def test_requests_that_are_refused_reach_nobody(
    served: RecordServer, http: httpx2.Client, path: str, headers: dict[str, str], status: int, words: str
) -> None:
    response = http.post(path, json=body("Hello"), headers=headers)
    report = response.json()
    assert (response.status_code, report.get("type")) == (status, "error" if path == CLAUDE else None)
    assert words in report["error"]["message"]
    assert (served.upstream.received, served.recorder.entries.newest(served.store)) == ([], [])


def test_a_body_that_is_too_large_is_refused(served: RecordServer, http: httpx2.Client) -> None:
    response = http.post(CLAUDE, content=b" " * (MOST_BYTES + 1))
    assert (response.status_code, response.json()["error"]["type"]) == (413, "request_too_large")
    assert http.get(CHAT).status_code == 405
    assert served.upstream.received == []


def test_a_token_comes_beside_the_providers_key(served: RecordServer, http: httpx2.Client) -> None:
    served.upstream.then(whole(completion("Hi!")))
    served.token = "token-of-this-app"
    assert http.post(CHAT, json=body("Hello"), headers={"authorization": f"Bearer {served.token}"}).status_code == 401
    headers = {"authorization": f"Bearer {KEY}", "x-windowseat-token": served.token}
    assert http.post(CHAT, json=body("Hello"), headers=headers).status_code == 200
    assert not [name for name, _ in served.upstream.last.headers if name.lower().startswith("x-windowseat")]
    served.done(1)


def test_no_key_is_stored_or_logged(
    served: RecordServer, http: httpx2.Client, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    other, third = "mcp-token-0123456789", "sk-ant-0123456789abcdef"
    tool = {"type": "mcp", "server_url": "https://a.example", "authorization": other, "headers": {"X": other}}
    served.upstream.then(whole(completion(f"Your key is {KEY}.")), chat_stream("It is ", KEY[:9], KEY[9:]))
    headers = {"authorization": f"Bearer {KEY}", "x-api-key": third}
    for text in (f"my key: {KEY}", f"and {third}"):
        asked = body(text, tools=[tool], stream=True, user=KEY)
        http.post(CHAT, json=asked, headers=headers)
    served.done(2)
    assert KEY.encode() in served.upstream.received[0].body
    with redis_server.client() as redis:
        stored = b"".join(
            repr(redis.dump(name)).encode() + repr((redis.type(name), _value(redis, name))).encode()
            for name in redis.keys("*")
        )
    assert b"[key, not stored]" in stored
    for key in (KEY, other, third, "key-of-the-model-here"):
        assert key.encode() not in stored
        assert key not in caplog.text
        assert key not in repr(served.recorder.entries.newest(served.store))


def _value(redis: Any, name: bytes) -> Any:
    kind = redis.type(name)
    if kind == b"string":
        return redis.get(name)
    if kind == b"hash":
        return redis.hgetall(name)
    return redis.xrange(name) if kind == b"stream" else redis.zrange(name, 0, -1)


class AwayStore(InMemoryHistory):
    """A store that does not answer while `away` is set."""

    away = True

    def begin(self, *args: Any, **options: Any) -> None:
        if self.away:
            raise HistoryUnavailable("The store is away.")
        super().begin(*args, **options)


def test_a_store_that_is_away_delays_the_record_and_not_the_answer() -> None:
    store = AwayStore(3600)
    with recording(store) as served, client(served) as http:
        served.upstream.then(whole(completion("Hi!")))
        assert http.post(CHAT, json=body("Hello")).status_code == 200
        assert store.sessions(5) == []
        store.away = False
        assert served.turns(1)[0].reply == "Hi!"
