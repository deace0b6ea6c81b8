"""What people read when a vendor fails: the real SDKs on real HTTP answers."""

from __future__ import annotations

import socket
from typing import Any

import httpx2
import pytest

from lib.errors import (
    ChatError,
    ContentRefused,
    ContextOverflow,
    InvalidRequest,
    ProviderUnavailable,
    RateLimited,
    WrongKey,
)
from lib.messages import user
from lib.providers import ChatRequest
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider
from lib.providers.sdk_errors import retry_after_seconds, translated
from lib.settings import Endpoint
from tests.support.servers.replay_server import Replay, message_events, says

KEY = "sk-proj-Abc123Def456Ghi789"
REQUEST = ChatRequest("model-1", (user("hello"),), 9)


def failure(replay: Replay, kind: str = "openai", url: str | None = None) -> ChatError:
    base = url or (f"{replay.url}/v1" if kind == "openai" else replay.url)
    adapter = OpenAIProvider if kind == "openai" else AnthropicProvider
    provider = adapter(Endpoint("it", "openai", "It", base_url=base), KEY)
    with pytest.raises(ChatError) as caught:
        list(provider.stream(provider.prepare(REQUEST)))
    assert KEY not in f"{caught.value.to_dict()}"
    return caught.value


def openai_error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "error", "param": None, "code": None, **fields}}


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def test_no_part_of_a_key_is_left_where_the_words_are_cut(replay: Replay) -> None:
    key = "gsk_0123456789abcdefghijklmnop"
    replay.error(400, openai_error(f"{'x' * 490} {key} is not it"))
    provider = OpenAIProvider(Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1"), key)
    with pytest.raises(ChatError) as caught:
        list(provider.stream(provider.prepare(REQUEST)))
    assert key[:6] not in f"{caught.value.to_dict()}"


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            401,
            openai_error(f"Incorrect API key provided: {KEY}.", code="invalid_api_key"),
            WrongKey,
            "Incorrect API key",
        ),
        (403, openai_error("Country not supported"), WrongKey, "Country"),
        (404, openai_error("The model `x` does not exist", code="model_not_found"), InvalidRequest, "does not exist"),
        (400, openai_error("Unsupported parameter: 'temperature'"), InvalidRequest, "Unsupported parameter"),
        (
            400,
            openai_error("Rejected by the content policy", code="content_policy_violation"),
            ContentRefused,
            "policy",
        ),
        (500, openai_error("The server had an error"), ProviderUnavailable, "500"),
        (503, openai_error("Overloaded"), ProviderUnavailable, "503"),
        (408, openai_error("Request timeout"), ProviderUnavailable, "408"),
        (400, openai_error("Invalid type for 'safety_identifier'"), InvalidRequest, "safety_identifier"),
        (400, openai_error("filtered", code="content_filter"), ContentRefused, "filtered"),
        (403, openai_error("This model requires moderation and your input was flagged"), ContentRefused, "flagged"),
        (402, openai_error("Insufficient credits"), InvalidRequest, "asks for payment"),
        (429, openai_error("Too many tokens, please wait before trying again."), RateLimited, "rate limit reached"),
        (
            429,
            openai_error("Rate limit reached. Add a payment method under account/billing."),
            RateLimited,
            "rate limit reached",
        ),
    ],
)
def test_openai_failures(replay: Replay, status: int, body: Any, kind: type[ChatError], words: str) -> None:
    replay.error(status, body)
    error = failure(replay)
    assert type(error) is kind
    assert words in error.what
    assert error.safe
    assert error.next_step


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_failure_without_words_names_its_status_once(replay: Replay, kind: str) -> None:
    replay.error(500, {})
    assert failure(replay, kind).what.count("500") == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, anthropic_error("authentication_error", f"invalid x-api-key {KEY}"), WrongKey, "x-api-key"),
        (404, anthropic_error("not_found_error", "model: claude-none"), InvalidRequest, "claude-none"),
        (400, anthropic_error("invalid_request_error", "messages: roles must alternate"), InvalidRequest, "alternate"),
        (529, anthropic_error("overloaded_error", "Overloaded"), ProviderUnavailable, "529"),
        (429, anthropic_error("rate_limit_error", "Too many requests"), RateLimited, "rate limit reached"),
        (413, anthropic_error("request_too_large", "Request exceeds the maximum size"), InvalidRequest, "413"),
        (
            400,
            anthropic_error("invalid_request_error", "Your credit balance is too low to access the API."),
            InvalidRequest,
            "asks for payment",
        ),
        (
            400,
            anthropic_error("invalid_request_error", "Output blocked by content filtering policy"),
            ContentRefused,
            "blocked",
        ),
    ],
)
def test_anthropic_failures(replay: Replay, status: int, body: Any, kind: type[ChatError], words: str) -> None:
    replay.error(status, body)
    error = failure(replay, "anthropic")
    assert type(error) is kind
    assert words in error.what


@pytest.mark.parametrize(
    ("kind", "body", "tokens", "limit"),
    [
        (
            "openai",
            openai_error(
                "This model's maximum context length is 128000 tokens. However, your messages resulted in 130,123"
                " tokens.",
                code="context_length_exceeded",
            ),
            130_123,
            128_000,
        ),
        (
            "openai",
            openai_error("too big", type="exceed_context_size_error", n_prompt_tokens=5031, n_ctx=4096),
            5031,
            4096,
        ),
        (
            "anthropic",
            anthropic_error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
            210_000,
            200_000,
        ),
        (
            "anthropic",
            anthropic_error(
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length",
            ),
            209_573,
            200_000,
        ),
        (
            "openai",
            openai_error("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
            1_200_000,
            1_048_576,
        ),
        (
            "openai",
            openai_error("Your input exceeds the context window of this model.", code="context_length_exceeded"),
            None,
            None,
        ),
    ],
)
def test_an_overflow_gives_the_token_counts(replay: Replay, kind: str, body: Any, tokens: int, limit: int) -> None:
    replay.error(400, body)
    error = failure(replay, kind)
    assert isinstance(error, ContextOverflow)
    assert (error.tokens, error.limit) == (tokens, limit)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ratelimit-reset-requests": "1m30s", "x-ratelimit-reset-tokens": "120ms"}, 90.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(replay: Replay, headers: dict[str, str], wait: float | None) -> None:
    assert retry_after_seconds(headers) == wait
    replay.error(429, openai_error("Rate limit reached"), **headers)
    error = failure(replay)
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == wait
    assert "Wait" in error.next_step


def test_a_used_up_quota_does_not_suggest_waiting(replay: Replay) -> None:
    replay.error(
        429, openai_error("You exceeded your current quota", code="insufficient_quota"), **{"retry-after": "5"}
    )
    error = failure(replay)
    assert isinstance(error, RateLimited)
    assert "quota is used up" in error.what
    assert error.wait_seconds is None
    assert "Wait" not in error.next_step


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_server_that_is_not_running_is_unavailable(replay: Replay, kind: str) -> None:
    assert isinstance(failure(replay, kind, url="http://127.0.0.1:9"), ProviderUnavailable)


def test_an_error_in_the_middle_of_a_stream_is_reported(replay: Replay) -> None:
    replay.events(
        says("a"), {"error": {"message": "The server is shutting down", "type": "server_error", "code": None}}
    )
    error = failure(replay)
    assert isinstance(error, ProviderUnavailable)
    assert "shutting down" in error.what


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        ({"message": "Rate limit reached", "type": "rate_limit_exceeded", "code": None}, RateLimited),
        ({"message": "Provider returned error", "code": 502}, ProviderUnavailable),
        (
            {"message": "too big", "code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8},
            ContextOverflow,
        ),
        ({"message": "something new"}, ProviderUnavailable),
    ],
)
def test_an_openai_error_in_a_stream_is_recognised_by_its_code(
    replay: Replay, reported: Any, kind: type[ChatError]
) -> None:
    replay.events(says("a"), {"error": reported})
    assert type(failure(replay)) is kind


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        ("overloaded_error", ProviderUnavailable),
        ("api_error", ProviderUnavailable),
        ("rate_limit_error", RateLimited),
        ("invalid_request_error", InvalidRequest),
    ],
)
def test_an_anthropic_error_in_a_stream_is_recognised_by_its_type(
    replay: Replay, reported: str, kind: type[ChatError]
) -> None:
    replay.events(*message_events("a")[:3], anthropic_error(reported, "in the stream"), named=True)
    error = failure(replay, "anthropic")
    assert type(error) is kind
    assert "in the stream" in error.what


def test_a_gateway_error_means_the_server_is_unavailable(replay: Replay) -> None:
    replay.error(502, "<html>Bad gateway</html>")
    assert isinstance(failure(replay), ProviderUnavailable)


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b'event: x\ndata: {"choi\n\n', b""])
def test_a_successful_answer_that_is_no_reply_suggests_checking_the_address(
    replay: Replay, kind: str, body: bytes
) -> None:
    replay.status, replay.headers, replay.body = 200, {"Content-Type": "text/html"}, body
    error = failure(replay, kind)
    assert isinstance(error, ProviderUnavailable)
    assert "base URL" in error.next_step


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"[]", b'{"x": 1}', b'{"x'])
def test_an_answer_in_another_shape_is_an_error(replay: Replay, body: bytes) -> None:
    replay.status, replay.headers, replay.body = 200, {"Content-Type": "application/json"}, body
    openai, anthropic = (
        adapter(Endpoint("it", "openai", "It", base_url=replay.url), KEY)
        for adapter in (OpenAIProvider, AnthropicProvider)
    )
    for ask in (openai.models, anthropic.models, lambda: anthropic.count(REQUEST)):
        with pytest.raises(ProviderUnavailable, match="not as a model server does"):
            ask()


def test_a_silent_server_is_a_timeout(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, httpx2.Client(timeout=0.2) as impatient:
        for vendor in ("openai", "anthropic"):
            monkeypatch.setattr(f"lib.providers.{vendor}.shared_client", lambda url: impatient)
            error = failure(replay, vendor, url=f"http://127.0.0.1:{silent.getsockname()[1]}")
            assert isinstance(error, ProviderUnavailable)
            assert "in time" in error.what


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_connection_that_breaks_in_the_middle_is_an_error(replay: Replay, kind: str) -> None:
    if kind == "openai":
        replay.events(says("a"))
    else:
        replay.events(*message_events("a")[:3], named=True)
    replay.promised = 10_000  # more bytes than are sent
    assert isinstance(failure(replay, kind), ProviderUnavailable)


def test_our_own_bugs_are_not_translated() -> None:
    with pytest.raises(ValueError, match="ours"), translated("It", KEY):
        raise ValueError("ours")
    provider = OpenAIProvider(Endpoint("it", "openai", "It"), KEY, {"x": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        provider.prepare(REQUEST)
