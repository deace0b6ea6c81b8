"""A setting that a model refuses is named in words: the real SDKs on answers as vendors give them."""

from __future__ import annotations

from typing import Any

import pytest

from lib.chat_settings import ChatSettings
from lib.errors import ChatError, InvalidRequest
from lib.generation import Generation
from lib.messages import user
from lib.providers import ChatRequest
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.stored_turns import read_live
from lib.turns import LiveTurn
from tests.support.servers.replay_server import Replay

REQUEST = ChatRequest("m", (user("hello"),), 9, Generation(0.2, 0.9, 7, 9, "low", ("END",)))


def refused(replay: Replay, kind: str, status: int, body: Any) -> ChatError:
    replay.error(status, body)
    endpoint = Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1" if kind == "openai" else replay.url)
    provider = (OpenAIProvider if kind == "openai" else AnthropicProvider)(endpoint, "sk-secret")
    with pytest.raises(ChatError) as caught:
        list(provider.stream(provider.prepare(REQUEST)))
    return caught.value


def openai(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}


def anthropic(message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


@pytest.mark.parametrize(
    ("kind", "status", "body", "setting"),
    [
        ("openai", 400, openai("Unsupported parameter: 'top_p' is not supported with this model.", "top_p"), "top_p"),
        ("openai", 400, openai("Unsupported value: 'temperature' does not support 0.2"), "temperature"),
        ("openai", 400, openai("Unsupported parameter", "reasoning_effort"), "reasoning_effort"),
        ("openai", 400, openai("max_completion_tokens is too large: 9."), "max_reply_tokens"),
        ("openai", 400, openai("'stop' is not supported with this model."), "stop"),
        (
            "openai",
            422,
            {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            "seed",
        ),
        (
            "openai",
            422,
            {"object": "error", "message": {"detail": [{"loc": ["body", "stop"], "msg": "Not permitted"}]}},
            "stop",
        ),
        ("anthropic", 400, anthropic("`temperature` is deprecated for this model."), "temperature"),
        ("anthropic", 400, anthropic("output_config.effort: this model does not support it"), "reasoning_effort"),
        ("anthropic", 400, anthropic("stop_sequences: each must contain non-whitespace"), "stop"),
        ("anthropic", 400, anthropic("max_tokens: 9 > 4, which is the maximum for this model"), "max_reply_tokens"),
    ],
)
def test_the_setting_is_found(replay: Replay, kind: str, status: int, body: Any, setting: str) -> None:
    error = refused(replay, kind, status, body)
    assert isinstance(error, InvalidRequest)
    assert error.setting == setting
    assert error.what.startswith("It refused the ")
    assert "Turn it off" in error.next_step


@pytest.mark.parametrize(
    "message", ["The server must stop here.", "No seed of doubt", "messages.0.role: unknown", "Unknown field: 'n'"]
)
def test_another_refusal_names_none(replay: Replay, message: str) -> None:
    error = refused(replay, "openai", 400, openai(message))
    assert isinstance(error, InvalidRequest)
    assert error.setting is None


def test_a_stored_refusal_still_knows_its_setting(replay: Replay) -> None:
    error = refused(replay, "openai", 400, openai("no", "seed"))
    live = read_live(LiveTurn("x", ChatSettings("it", "m", "", 9, 9, "none"), "me", 1.0, error=error).to_dict())
    assert live.error == error
    assert isinstance(live.error, InvalidRequest)
    assert live.error.setting == "seed"
