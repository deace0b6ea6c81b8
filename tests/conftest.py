"""For every test: no way to the internet, no settings from the environment, and a hypothesis profile."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.network_guard", "tests.support.fixtures"]

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("brief", max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

OURS = ("OPENAI_", "ANTHROPIC_", "REDIS_", "WINDOWSEAT_", "STREAMLIT_")
SLOW = (
    "api/test_node_client.py",
    "api/test_openapi.py",
    "context/test_speed.py",
    "history/test_concurrency.py",
    "history/test_crashes.py",
    "history/test_embedded.py",
    "history/test_unreachable.py",
    "replica/test_anthropic.py",
    "replica/test_assistants.py",
    "replica/test_responses.py",
    "replica/test_server.py",
    "replica/test_side_by_side.py",
    "server_history/test_contract.py",
    "test_network_guard.py",
    "tokens/test_vocabularies.py",
    "ui/test_odd_sessions.py",
    "ui/test_threads_page.py",
)
"""Files that start many servers, draw every page many times or read very long texts. `just fast` skips them."""
MOST_WORKERS = 4  # each may start a browser, a model and an app


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker per core and one more, as a test in a browser mostly waits. A single file runs in this process: that
    starts sooner, and a debugger works."""
    if len(config.args) == 1 and config.args[0].partition("::")[0].endswith(".py"):
        return 0
    return min(MOST_WORKERS, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the slow files."""
    for item in items:
        if item.path.as_posix().endswith(SLOW):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the keys and servers of the person who runs the tests, also those that run on this machine."""
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WINDOWSEAT_LOCAL_SERVERS", "none")
