"""For every test: no way to the internet, no settings from the environment, and a hypothesis profile."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.network_guard", "tests.support.fixtures"]

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

OURS = ("OPENAI_", "ANTHROPIC_", "REDIS_", "WINDOWSEAT_", "STREAMLIT_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the keys and servers of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
