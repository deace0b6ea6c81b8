"""The guard itself: a test that tries to reach the internet fails the run, even where it swallows the error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import is_local

TRIES = """
import asyncio, socket
def test_swallows():
    try:
        {attempt}
    except Exception:
        return
"""


@pytest.mark.parametrize(
    "attempt",
    [
        'socket.create_connection(("203.0.113.7", 80), timeout=1)',
        'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("203.0.113.7", 53))',
        'socket.getaddrinfo(host="203.0.113.7", port=80)',
        'socket.gethostbyname("203.0.113.7")',
        'asyncio.run(asyncio.open_connection("203.0.113.7", 80))',
    ],
)
def test_an_attempt_fails_the_run_even_if_it_is_swallowed(tmp_path: Path, attempt: str) -> None:
    (tmp_path / "conftest.py").write_text((Path(__file__).with_name("conftest.py")).read_text())
    (tmp_path / "test_it.py").write_text(TRIES.format(attempt=attempt))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "tried to reach the internet: ['203.0.113.7']" in done.stdout


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("example.com", False)],
)
def test_only_this_machine_is_local(host: str, local: bool) -> None:
    assert is_local(host) is local
