"""Fixtures for the tests of the HTTP routes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers.api_server import ApiServer, serving


@pytest.fixture
def served() -> Iterator[ApiServer]:
    with serving() as running:
        yield running
