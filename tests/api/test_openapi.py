"""The OpenAPI document is true: the real app, asked for everything it allows and does not, answers as it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode

from lib.api.openapi import document
from tests.support.app.app_process import App
from tests.support.servers.api_server import ENDPOINTS

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
def schema(real_app: App) -> Any:
    """What the app says of itself. Its other providers have no key, and no request must reach them."""
    loaded = schemathesis.openapi.from_url(f"{real_app.url}/api/openapi.json")
    named = loaded.raw_schema["components"]["schemas"]["NewMessage"]["properties"]["provider"]["anyOf"][0]
    assert named["enum"] == ["local", "openai", "anthropic"]
    named["enum"] = ["openai"]
    reply = loaded.raw_schema["components"]["schemas"]["GenerationSettings"]["properties"]["maxReplyTokens"]["anyOf"][0]
    reply["maximum"] = 1000  # one that leaves no room in the window is refused, which no schema can say
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
