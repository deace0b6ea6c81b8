"""A pytest plugin: a test that tries to reach the internet fails the run, even if the test swallows the error.

With pytest-xdist each worker reports its attempts to the controller, which decides the exit status of the run.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

attempts: list[str] = []


def is_local(host: str) -> bool:
    """Whether an address or name stays on this machine."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _guarded(function: Callable[..., Any], host_of: Callable[..., str | None]) -> Callable[..., Any]:
    def guard(*args: Any, **kwargs: Any) -> Any:
        host = host_of(*args, **kwargs)
        if host is not None and not is_local(host):
            attempts.append(host)
            raise OSError(f"a test tried to reach {host!r}: tests stay on this machine")
        return function(*args, **kwargs)

    return guard


def _address_host(*args: Any) -> str | None:
    address = args[-1]  # of connect(address) and sendto(data, [flags,] address)
    return str(address[0]) if isinstance(address, tuple) else None  # the address of a unix socket is a path


def _name(host: Any = None, *_: Any, **__: Any) -> str | None:
    return None if host is None else host.decode() if isinstance(host, bytes) else str(host)


for method in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, method, _guarded(getattr(socket.socket, method), _address_host))
for lookup in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, lookup, _guarded(getattr(socket, lookup), _name))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with attempts. A worker only reports them: its own exit status is not the run's."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["internet_attempts"] = attempts
    elif attempts and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect a worker's attempts. A worker that crashed has no output, and fails the run by itself."""
    attempts.extend(getattr(node, "workeroutput", {}).get("internet_attempts", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if attempts:
        terminalreporter.write_line(f"FAILED: tests tried to reach the internet: {sorted(set(attempts))}", red=True)
