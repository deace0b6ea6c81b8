"""For every test: no way out to the internet, a clean environment, and how thoroughly hypothesis looks."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.fixtures"]

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

OURS = ("OPENAI_", "ANTHROPIC_", "REDIS_", "WINDOWSEAT_", "STREAMLIT_")
attempts: list[str] = []


def is_local(host: str) -> bool:
    """Whether an address or name stays on this machine."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _guarded(function: Any, host_of: Any) -> Any:
    def guard(*args: Any, **kwargs: Any) -> Any:
        host = host_of(*args, **kwargs)
        if host is not None and not is_local(host):
            attempts.append(host)
            raise OSError(f"a test tried to reach {host!r}: tests stay on this machine")
        return function(*args, **kwargs)

    return guard


def _address_host(*args: Any) -> str | None:
    address = args[-1]  # of connect(address) and sendto(data, [flags,] address)
    return str(address[0]) if isinstance(address, tuple) else None  # a path is a unix socket


def _name(host: Any = None, *_: Any, **__: Any) -> str | None:
    return None if host is None else host.decode() if isinstance(host, bytes) else str(host)


socket.socket.connect = _guarded(socket.socket.connect, _address_host)  # type: ignore[method-assign]  # for every test
socket.socket.connect_ex = _guarded(socket.socket.connect_ex, _address_host)  # type: ignore[method-assign]
socket.socket.sendto = _guarded(socket.socket.sendto, _address_host)  # type: ignore[method-assign]
for lookup in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, lookup, _guarded(getattr(socket, lookup), _name))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """An attempt fails the run even where the test swallowed the error."""
    if attempts and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if attempts:
        terminalreporter.write_line(f"FAILED: tests tried to reach the internet: {sorted(set(attempts))}", red=True)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no server of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
