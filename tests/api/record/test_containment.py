"""What a request may not do through the recorder: reach other addresses of a provider, or tell it who a person is."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from lib.api.record.upstream import response_headers
from tests.support.servers.record_server import RecordServer, client
from tests.support.servers.upstream import completion, whole

CHAT = "/v1/chat/completions"


def raw(served: RecordServer, method: str, target: str, host: str, body: bytes = b"") -> int:
    """Send a request that no HTTP client would write, and return the status."""
    parts = urlsplit(served.url)
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as connection:
        connection.sendall(head.encode() + body)
        return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    "target",
    [
        "/v1/models/../../admin/keys",
        "/v1/models/%2e%2e/%2e%2e/admin/keys",
        "/v1/models/a/./b",
        "/v1/models/..%2f..%2fadmin",
        "/v1/models/x%3fadmin=1",
        "/v1/models/x%23y",
        "/v1/models/..%5cadmin",
    ],
)
def test_a_path_stays_below_the_models(served: RecordServer, target: str) -> None:
    served.upstream.then(whole({"object": "list", "data": []}))
    assert raw(served, "GET", target, urlsplit(served.url).netloc) in (400, 404)
    assert served.upstream.received == []


def test_names_of_models_with_a_slash_and_a_colon_pass(served: RecordServer) -> None:
    served.upstream.then(whole({"id": "org/model:free"}))
    assert raw(served, "GET", "/v1/models/org/model:free", urlsplit(served.url).netloc) == 200
    assert served.upstream.last.path == "/v1/models/org/model:free"


@pytest.mark.parametrize("host", ["127.0.0.1/v1/files?", "localhost/admin#", "localhost/v1/files/", "me@localhost"])
def test_the_host_header_does_not_change_the_path(served: RecordServer, host: str) -> None:
    served.upstream.then(whole(completion("Hi!")))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    status = raw(served, "POST", CHAT, host, body)
    assert status in (400, 403)
    assert served.upstream.received == []


def test_a_providers_cookies_pass_and_ours_do_not(served: RecordServer) -> None:
    served.upstream.then(whole(completion("Hi!")))
    cookies = "windowseat_visitor_0123abcd=visitor-secret; c=d; _streamlit_user=login; _streamlit_user_1=more"
    with client(served) as http:
        response = http.post(
            CHAT, json={"model": "m", "messages": [{"role": "user", "content": "Hello"}]}, headers={"cookie": cookies}
        )
    assert response.status_code == 200
    assert served.upstream.last.header("cookie") == "c=d"
    served.done(1)


def test_a_provider_sets_its_own_cookies_and_none_of_ours() -> None:
    sent = [(b"Set-Cookie", b"__cf_bm=x"), (b"SET-COOKIE", b" windowseat_visitor_0123abcd=v"), (b"X-Request-Id", b"r")]
    sent.append((b"set-cookie", b"_streamlit_user=login; Path=/"))
    assert response_headers(sent) == [(b"set-cookie", b"__cf_bm=x"), (b"x-request-id", b"r")]
