"""The guard itself: a test that tries to reach the internet fails the run, in one process and with workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.network_guard import is_local

ATTEMPTS = {
    "connect": 'socket.create_connection(("203.0.113.7", 80), timeout=1)',
    "sendto": 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("203.0.113.7", 53))',
    "getaddrinfo": 'socket.getaddrinfo(host="203.0.113.7", port=80)',
    "gethostbyname": 'socket.gethostbyname("203.0.113.7")',
    "asyncio": 'asyncio.run(asyncio.open_connection("203.0.113.7", 80))',
}
SWALLOWS = """
def test_{name}():
    try:
        {attempt}
    except Exception as error:
        print({name!r}, "was stopped:", error)
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder with the guard and pytest-xdist. Other plugins would only cost seconds."""
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider"]
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command += ["-p", "tests.support.network_guard", *options, str(folder)]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_attempts_fail_the_run_even_if_every_test_swallows_them(tmp_path: Path, workers: str) -> None:
    tests = [SWALLOWS.format(name=name, attempt=attempt) for name, attempt in ATTEMPTS.items()]
    (tmp_path / "test_it.py").write_text("import asyncio, socket\n" + "".join(tests))
    done = run(tmp_path, workers, "-rP")
    assert done.returncode == 1, done.stdout
    assert "5 passed" in done.stdout
    assert "tried to reach the internet: ['203.0.113.7']" in done.stdout
    for name in ATTEMPTS:
        assert f"{name} was stopped: a test tried to reach '203.0.113.7'" in done.stdout


def test_a_run_without_attempts_passes(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    assert run(tmp_path, "-n1").returncode == 0


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("example.com", False)],
)
def test_only_this_machine_is_local(host: str, local: bool) -> None:
    assert is_local(host) is local
