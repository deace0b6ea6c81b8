"""The OpenAPI document is true: the real app, asked for everything it allows and does not, answers as it says."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode

from lib.api.openapi import document
from tests.support.app.app_process import App
from tests.support.servers.api_server import ENDPOINTS
from tests.support.servers.redis_servers import RedisServer
from tests.support.servers.typist import Typist

BOTH = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
CHAT, SESSION, HEALTH = "/api/chat", "/api/chat/{sessionId}", "/api/health"
ASKED = [
    *(
        (path, method, mode)
        for path, method in ((CHAT, "POST"), (SESSION, "GET"), (SESSION, "DELETE"))
        for mode in BOTH
    ),
    (HEALTH, "GET", GenerationMode.POSITIVE),  # it takes nothing that could be wrong
]


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    """The real app on a real Redis, with the typist as its only provider that has a key."""
    folder = Path(tempfile.mkdtemp(prefix="ws-"))
    redis, typist = RedisServer().start(), Typist(words=2, seconds_per_word=0)
    keys = {"OPENAI_BASE_URL": typist.url, "OPENAI_API_KEY": "sk-test-typist", "OPENAI_MODEL": "typist-1"}
    with typist, App(folder / "data", {"REDIS_URL": redis.url, **keys}) as running:
        yield running
    redis.close()
    log = running.log.read_text()
    shutil.rmtree(folder, ignore_errors=True)
    assert "Traceback" not in log, log[-4000:]


@pytest.fixture(scope="module")
def schema(app: App) -> Any:
    """What the app says of itself. Its other providers have no key, and no request must reach them."""
    loaded = schemathesis.openapi.from_url(f"{app.url}/api/openapi.json")
    named = loaded.raw_schema["components"]["schemas"]["NewMessage"]["properties"]["provider"]["anyOf"][0]
    assert named["enum"] == ["local", "openai", "anthropic"]
    named["enum"] = ["openai"]
    return loaded


@pytest.mark.parametrize(("path", "method", "mode"), ASKED)
def test_the_app_answers_as_its_document_says(schema: Any, path: str, method: str, mode: GenerationMode) -> None:
    operation = schema[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @QUICK
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(timeout=20)

    ask()


def test_it_holds_from_one_request_to_the_next(schema: Any) -> None:
    chat = schema.as_state_machine()
    run_state_machine_as_test(chat, settings=settings(QUICK, max_examples=8, stateful_step_count=6))


def test_the_document_lists_every_provider_and_no_key() -> None:
    described = json.dumps(document(ENDPOINTS))
    assert '"enum": ["scripted", "other"]' in described
    assert "sk-configured" not in described
