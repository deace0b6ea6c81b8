"""Who may ask: what a request must be, and that a refused one changes nothing."""

from __future__ import annotations

import logging
from typing import Any

import httpx2
import pytest

from lib.api.errors import forbidden
from tests.support.servers.api_server import ApiServer
from tests.support.servers.redis_servers import say

TOKEN = "correct-horse-battery-staple"
JSON = {"content-type": "application/json"}


def refusal(response: httpx2.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/json"
    return response.status_code, response.json()["error"]["code"]


def nothing_happened(served: ApiServer) -> bool:
    return served.provider.requests == [] and served.store.sessions(9) == [] and served.access.asked == []


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b'{"message": "Hello"}', "text/plain", (415, "not_json")),
        (b'{"message": "Hello"}', "", (415, "not_json")),
        (b"message=Hello", "application/x-www-form-urlencoded", (415, "not_json")),
        (b"", "application/json", (400, "malformed")),
        (b'{"message": "Hello"', "application/json", (400, "malformed")),
        (b'["Hello"]', "application/json", (400, "malformed")),
        (b"[" * 100_000, "application/json", (400, "malformed")),
        (b'{"message": "\xff"}', "application/json", (400, "malformed")),
        (b"1" * 5000, "application/json", (400, "malformed")),
        (b'{"message": "' + b"x" * 1_000_001 + b'"}', "application/json", (413, "too_large")),
        (b'{"message": " \\n"}', "application/json", (422, "invalid_value")),
        (b'{"message": 1}', "application/json; charset=utf-8", (422, "invalid_value")),
        (b'{"text": "Hello"}', "application/json", (422, "invalid_value")),
        (b'{"message": "Hello", "sessionId": "a}b"}', "application/json", (422, "invalid_value")),
        (b'{"message": "Hello", "sessionId": "a\\n"}', "application/json", (422, "invalid_value")),
        (b'{"message": "Hello", "sessionId": ".."}', "application/json", (422, "invalid_value")),
        (b'{"message": "Hello", "model": "gpt\\n"}', "application/json", (422, "invalid_value")),
        (b'{"message": "Hello", "model": NaN}', "application/json", (422, "invalid_value")),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(
    served: ApiServer, content: bytes, kind: str, expected: tuple[int, str]
) -> None:
    assert refusal(served.client.post("/api/chat", content=content, headers={"content-type": kind})) == expected
    assert nothing_happened(served)


def test_a_body_of_unknown_length_is_cut_off(served: ApiServer) -> None:
    pieces = (b"x" * 100_000 for _ in range(20))
    assert refusal(served.client.post("/api/chat", content=pieces, headers=JSON)) == (413, "too_large")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://[", "host": "127.0.0.1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:8501"},
        {"host": ""},
    ],
)
def test_a_page_of_another_site_is_refused_everywhere(served: ApiServer, headers: dict[str, str]) -> None:
    say(served.store, "s")
    for method, path in (("POST", "/api/chat"), ("GET", "/api/chat/s"), ("DELETE", "/api/chat/s"), ("GET", "/api/x")):
        content = b'{"message": "Hello"}' if method == "POST" else None
        answer = served.client.request(method, path, content=content, headers=JSON | headers)
        assert refusal(answer) in ((403, "wrong_origin"), (403, "wrong_host"))
        assert "access-control-allow-origin" not in answer.headers
    assert served.texts("s") == ["Hello", "Hi!"]
    assert (served.provider.requests, served.access.asked) == ([], [])


def test_the_apps_own_page_and_its_names_are_let_in(served: ApiServer) -> None:
    port = served.url.rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert served.client.get("/api/health", headers=headers).status_code == 200
    served.hosts = ("*.example.com",)
    assert served.client.get("/api/health", headers={"host": "app.example.com"}).status_code == 200
    assert refusal(served.client.get("/api/health", headers={"host": "app.example.org"})) == (403, "wrong_host")


@pytest.mark.parametrize("proxied", [True, False])
def test_whoever_is_not_on_this_machine_needs_the_token(served: ApiServer, proxied: bool) -> None:
    headers = {"x-forwarded-for": "203.0.113.7"} if proxied else {}
    served.address = "127.0.0.1" if proxied else "0.0.0.0"
    assert refusal(served.client.get("/api/chat/s", headers=headers)) == (403, "no_token_configured")
    served.token = TOKEN
    assert refusal(served.client.get("/api/chat/s", headers=headers)) == (401, "wrong_token")
    assert served.client.get("/api/health", headers=headers).status_code == 200
    assert served.access.asked == []
    answer = served.client.get("/api/chat/s", headers=headers | {"authorization": f"Bearer {TOKEN}"})
    assert refusal(answer) == (404, "no_such_session")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer"},
        {"authorization": b"Bearer \xe9"},
        {"x-windowseat-token": "wrong"},
        {"cookie": f"token={TOKEN}"},
    ],
)
def test_a_token_that_is_set_is_always_required(served: ApiServer, given: dict[str, Any]) -> None:
    served.token = TOKEN
    answer = served.client.post("/api/chat", json={"message": "Hello"}, headers=given)
    assert refusal(answer) == (401, "wrong_token")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert nothing_happened(served)


def test_the_token_is_told_to_nobody(served: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    served.token = TOKEN
    served.plays("Hi!")
    for headers in ({"authorization": f"bearer {TOKEN}"}, {"x-windowseat-token": TOKEN}, {"authorization": "Bearer x"}):
        answer = served.client.post("/api/chat", json={"message": "Hello", "sessionId": "s"}, headers=headers)
        assert TOKEN not in f"{answer.text} {answer.headers}"
        served.plays("Hi!")
    ours = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpcore"))
    assert TOKEN not in f"{ours} {served.store.raw('s')!r} {served.store.turns('s')} {served.provider.bodies}"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/x", "/api/chat/", "/api/chat/a/b", "/api/chat/a%7Db", "/api//x"]
)
def test_an_address_that_does_not_exist_is_json(served: ApiServer, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS", "PATCH"):
        status, code = refusal(served.client.request(method, path))
        assert (status, code) == (404, "not_found")
    assert served.access.asked == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/chat", "POST"),
        ("DELETE", "/api/chat", "POST"),
        ("POST", "/api/chat/s", "GET, DELETE, HEAD"),
        ("OPTIONS", "/api/chat/s", "GET, DELETE, HEAD"),
        ("POST", "/api/health", "GET, HEAD"),
        ("PUT", "/api/openapi.json", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_take_is_json(
    served: ApiServer, method: str, path: str, allowed: str
) -> None:
    answer = served.client.request(method, path)
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


def test_access_is_asked_before_anything_is_read(served: ApiServer) -> None:
    say(served.store, "s")
    served.access.error = forbidden("not_yours", "This chat belongs to somebody else.", "Ask its owner.")
    for answer in (
        served.client.get("/api/chat/s"),
        served.client.delete("/api/chat/s"),
        served.say("x", sessionId="s"),
    ):
        assert refusal(answer) == (403, "not_yours")
    assert served.access.asked == [("s", False), ("s", True), ("s", True)]
    assert (served.texts("s"), served.provider.requests) == (["Hello", "Hi!"], [])


def test_every_response_has_the_security_headers(served: ApiServer) -> None:
    for path in ("/api/health", "/api/x", "/nowhere"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "frame-ancestors 'self'; img-src 'self' data: blob:"
    assert served.client.head("/api/health").status_code == 200
