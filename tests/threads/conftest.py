"""The model behind every server under test, and the server that records requests and replays answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.providers.local import LocalModel
from tests.providers.conftest import model, replay  # noqa: F401 - fixtures
from tests.threads.behind import Behind
from tests.threads.routes import Routes


@pytest.fixture(scope="session")
def behind(model: LocalModel) -> Iterator[Behind]:  # noqa: F811 - the fixture
    with Behind(model) as shim:
        yield shim


@pytest.fixture
def routes() -> Iterator[Routes]:
    with Routes() as server:
        yield server
