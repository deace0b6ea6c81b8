"""Faults on the way to Redis: a slow network, connections cut at the worst moment, and TLS that does not fit."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest

from lib.history import lua_messages, lua_turns
from tests.faults.fault import fault
from tests.faults.stage import SESSION, Stage
from tests.support.servers.redis_servers import RedisServer, free_port

MANY = 1_000
"""Cuts of a connection that stay until they are lifted."""
BEGIN = hashlib.sha1(lua_turns.BEGIN.encode()).hexdigest().encode()
COMMIT = hashlib.sha1(lua_messages.COMMIT.encode()).hexdigest().encode()
"""How the two scripts are named on the wire."""


@fault("The network is slow from the middle of a reply on: each answer of Redis takes 2 s", slow=True)
def slow_network(stage: Stage) -> None:
    proxy = stage.proxy()
    live = stage.begin("third")
    proxy.latency = 2.0
    stage.end_of_reply(live)
    stage.until_waiting(live)
    stage.look()
    proxy.latency = 0.0
    stage.settle(live)


@fault("The network is slow when a message is sent: each answer of Redis takes 2 s", slow=True)
def slow_network_before(stage: Stage) -> None:
    proxy = stage.proxy()
    proxy.latency = 2.0
    stage.send("third")
    proxy.latency = 0.0
    stage.again("third")


@fault("The connection is cut once as a turn begins, before and after Redis gets the command")
def cut_once_at_begin(stage: Stage) -> None:
    proxy = stage.proxy()
    for prompt, delivered in (("third", False), ("fourth", True)):
        proxy.cut(BEGIN, 1, delivered=delivered)
        stage.talk(prompt)
        stage.check()
    assert proxy.cuts == 2


@fault("The connection is cut once as a reply is stored, before and after Redis gets the command")
def cut_once_at_commit(stage: Stage) -> None:
    proxy = stage.proxy()
    for prompt, delivered in (("third", False), ("fourth", True)):
        proxy.cut(COMMIT, 1, delivered=delivered)
        stage.talk(prompt)
        stage.check()
    assert proxy.cuts == 2


@fault("The connection is cut each time a turn begins, after Redis gets the command")
def cut_at_begin(stage: Stage) -> None:
    proxy = stage.proxy()
    stage.app.store.ping()
    proxy.cut(BEGIN, MANY, delivered=True)
    stage.send("third")
    assert proxy.cuts > 1
    proxy.cuts_left = 0
    stage.again("third")


@fault("The connection is cut each time an interrupted message is retried, after Redis gets the command", slow=True)
def cut_at_retry(stage: Stage) -> None:
    proxy = stage.proxy()
    stage.model.behave = lambda handler: handler.answer_json(503, {"error": {"message": "Busy."}})
    live = stage.send("third")
    assert live is not None
    stage.wait(live)
    stage.model.behave = None
    proxy.cut(BEGIN, MANY, delivered=True)
    stage.retry(live)
    proxy.cuts_left = 0
    stage.look()
    stage.until(lambda: (found := stage.app.live(SESSION)) is not None and found.interrupted)
    stage.settle(live)


@fault("The connection is cut each time a reply is stored, after Redis gets the command", slow=True)
def cut_at_commit(stage: Stage) -> None:
    proxy = stage.proxy()
    live = stage.begin("third")
    proxy.cut(COMMIT, MANY, delivered=True)
    stage.end_of_reply(live)
    stage.until_waiting(live)
    proxy.cuts_left = 0
    stage.settle(live)


@fault("`REDIS_URL` says `rediss://`, and the server does not speak TLS", slow=True)
def tls_to_plain(stage: Stage) -> None:
    proxy = stage.proxy()
    _refuses_then_works(stage, f"rediss://127.0.0.1:{proxy.port}", proxy.url)


@fault("`REDIS_URL` says `redis://`, and the server speaks only TLS")
def plain_to_tls(stage: Stage) -> None:
    port, authority = with_tls(stage.server)
    _refuses_then_works(stage, f"redis://127.0.0.1:{port}", f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority}")


@fault("The server's certificate is signed by nobody we know", slow=True)
def unknown_certificate(stage: Stage) -> None:
    port, authority = with_tls(stage.server)
    good = f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority}"
    _refuses_then_works(stage, f"rediss://127.0.0.1:{port}", good)


def _refuses_then_works(stage: Stage, wrong_url: str, right_url: str) -> None:
    """Send a message with a REDIS_URL that does not fit, then correct it and restart the app."""
    stage.restart_app(wrong_url)
    stage.send("third")
    stage.restart_app(right_url)
    stage.notes.recovery.append("Correct `REDIS_URL` and restart the app.")
    stage.again("third")


def with_tls(server: RedisServer) -> tuple[int, str]:
    """Let a running server also listen with TLS. Returns the port and the file of its self-signed certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on PATH to make a certificate; apt-get install openssl")
    certificate, key = str(server.folder / "certificate.pem"), str(server.folder / "key.pem")
    command = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=redis"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    port = free_port()
    with server.client() as client:
        if not client.config_get("tls-port"):
            pytest.skip("this redis-server was built without TLS")
        options = ("tls-cert-file", certificate, "tls-key-file", key, "tls-ca-cert-file", certificate)
        client.config_set(*options, "tls-auth-clients", "no", "tls-port", port)
    return port, certificate
