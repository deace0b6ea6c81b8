"""Fixtures that several folders share. tests/conftest.py loads them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lib.providers.llama.process import INSTALL, LocalModel, packaged_model
from tests.support.servers.replay_server import Replay


@pytest.fixture(scope="session")
def model() -> Iterator[LocalModel]:
    """The embedded model, started once."""
    if packaged_model() is None:
        pytest.skip(f"needs the model file: {INSTALL}")
    running = LocalModel()
    running.ensure()
    yield running
    running.close()


@pytest.fixture
def replay() -> Iterator[Replay]:
    answers = Replay()
    threading.Thread(target=answers.server.serve_forever, args=(0.02,), daemon=True).start()
    yield answers
    answers.server.shutdown()
    answers.server.server_close()
