"""Whatever a server answers, a bounded part of it is read as the types the app works with, or it says what is wrong."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.errors import ChatError, ProviderUnavailable, RateLimited
from lib.messages import Usage, user
from lib.providers import MOST_CHARACTERS, ChatRequest, Provider, Reply, TextDelta, bounded_http
from lib.providers.anthropic import AnthropicProvider
from lib.providers.bounded_http import ERROR_BYTES, LINE_BYTES, bounded
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from tests.support.servers.replay_server import Replay, message_events, says

REQUEST = ChatRequest("model-1", (user("hello"),), 9)
NOT_A_SERVER = "not as a model server does"
VENDORS = ["openai", "anthropic"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def provider_at(replay: Replay, vendor: str) -> Provider:
    if vendor == "openai":
        return OpenAIProvider(Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1"), "sk-test")
    return AnthropicProvider(Endpoint("it", "anthropic", "It", base_url=replay.url), "sk-test")


def answer(replay: Replay, vendor: str = "openai") -> Reply:
    """The reply that the provider makes of what the server sends."""
    provider = provider_at(replay, vendor)
    *pieces, reply = list(provider.stream(provider.prepare(REQUEST)))
    assert isinstance(reply, Reply)
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)) == reply.text
    return reply


def failure(replay: Replay, vendor: str = "openai") -> ChatError:
    with pytest.raises(ChatError) as caught:
        answer(replay, vendor)
    return caught.value


def finished(**fields: Any) -> dict[str, Any]:
    return {**says(end="stop"), **fields}


@pytest.mark.parametrize("value", ["many", -3, True, 1.5, {"a": 1}, [7], 10**30])
def test_a_figure_that_is_no_count_is_not_reported_and_said(replay: Replay, value: Any) -> None:
    replay.events(says("hi"), finished(usage={"prompt_tokens": value, "completion_tokens": 2}))
    reply = answer(replay)
    assert reply.usage == Usage(input_tokens=None, output_tokens=2)
    assert "prompt_tokens" in reply.note
    assert "not reported" in reply.note


@pytest.mark.parametrize("value", ["many", -3, 1.5, {"a": 1}, [7], 10**30])
def test_the_same_for_anthropics_figures(replay: Replay, value: Any) -> None:
    events = message_events("hi")
    events[0]["message"]["usage"] = {"input_tokens": value, "output_tokens": 1}
    replay.events(*events, named=True)
    reply = answer(replay, "anthropic")
    assert reply.usage.input_tokens is None
    assert "input_tokens" in reply.note


@pytest.mark.parametrize("value", [{"a": 1}, 7, ["x"], True])
def test_a_model_or_reason_that_is_no_name_is_not_reported_and_said(replay: Replay, value: Any) -> None:
    replay.events(says("hi"), {**finished(model=value, id=value), "usage": None})
    reply = answer(replay)
    assert (reply.model, reply.stop_reason) == ("model-1-dated", "end")  # the first chunk named the model
    assert "model" in reply.note
    replay.events({**says("hi"), "model": value}, finished(model=value))
    assert answer(replay).model == "model-1"


def test_long_names_are_cut(replay: Replay) -> None:
    replay.events(says("hi"), {**finished(model="m" * 10_000)})
    assert answer(replay).model == "m" * 200


def test_a_usual_answer_has_no_note(replay: Replay) -> None:
    replay.events(
        says("hi"), finished(usage={"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": None})
    )
    assert answer(replay).note == ""


@pytest.mark.parametrize(
    "chunk",
    [
        [],
        [1, 2],
        "text",
        7,
        {"choices": {"a": 1}},
        {"choices": "x"},
        {"choices": [{"delta": {"content": ["a"]}}]},
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [{"delta": {"content": {"a": 1}}}]},
        {"choices": [{"delta": {"refusal": 7}}]},
        {"choices": [["x"]]},
        {"choices": [7]},
    ],
)
def test_a_chunk_in_another_shape_is_no_answer_of_a_model_server(replay: Replay, chunk: Any) -> None:
    replay.events(chunk)
    assert NOT_A_SERVER in failure(replay).what


@pytest.mark.parametrize("change", [{"delta": 7}, {"delta": {"type": "text_delta", "text": 7}}, {"delta": []}])
def test_an_event_in_another_shape_is_no_answer_of_a_model_server(replay: Replay, change: dict[str, Any]) -> None:
    events = message_events("hi")
    place = next(at for at, event in enumerate(events) if event["type"] == "content_block_delta")
    events[place] = {**events[place], **change}
    replay.events(*events[: place + 1], named=True)
    assert isinstance(failure(replay, "anthropic"), ProviderUnavailable)


@pytest.mark.parametrize("vendor", VENDORS)
def test_json_that_is_nested_too_deeply_is_no_answer_of_a_model_server(replay: Replay, vendor: str) -> None:
    replay.events(says("hi"))
    replay.body = b"event: message_start\ndata: " + b"[" * 100_000 + b"\n\n"
    assert NOT_A_SERVER in failure(replay, vendor).what


@given(st.lists(json_values, min_size=1, max_size=3), json_values, st.sampled_from(VENDORS))
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_a_reply_or_an_error_in_words(replay: Replay, values: list[Any], usage: Any, vendor: str) -> None:
    anything = [value if isinstance(value, dict) else {"choices": value, "type": value} for value in values]
    if vendor == "openai":
        replay.events(says("hi"), *anything, {**says("x", end="stop"), "usage": usage, "choices": values})
    else:
        events: list[Any] = message_events("hi")
        events[0]["message"]["usage"] = usage
        named = [{"type": "content_block_delta", "delta": value, "index": value} for value in values]
        replay.events(*events[:3], *named, *events[3:], named=True)
    try:
        reply = answer(replay, vendor)
    except ChatError as error:
        json.dumps(error.to_dict())
    else:
        assert all(count is None or count >= 0 for count in reply.usage.to_dict().values())
        assert isinstance(reply.model, str)
        assert reply.stop_reason is None or len(reply.stop_reason) <= 200


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_reply_that_never_ends_is_kept_as_far_as_it_is_read(
    replay: Replay, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.providers.boundary.MOST_CHARACTERS", 10)
    if vendor == "openai":
        replay.events(*[says("abc")] * 50)
    else:
        events = message_events("abc")
        place = next(at for at, event in enumerate(events) if event["type"] == "content_block_delta")
        replay.events(*events[:place], *[events[place]] * 50, named=True)
    reply = answer(replay, vendor)
    assert (reply.text, reply.stop_reason) == ("abcabcabca", "too_long")
    assert MOST_CHARACTERS == 2_000_000


def test_a_line_without_an_end_is_not_read(replay: Replay) -> None:
    replay.events(says("hi"))
    replay.body = b'data: {"choices": "' + b"x" * (LINE_BYTES + 70_000)
    assert "more than any model server does" in failure(replay).what


def test_a_stream_of_comments_without_an_end_is_not_read(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "STREAM_BYTES", 100_000)
    replay.events(says("hi"))
    replay.body += b": wait\n\n" * 30_000
    replay.body = replay.body.replace(b"data: [DONE]", b": wait")
    assert "more than any model server does" in failure(replay).what


def test_an_answer_that_is_no_stream_is_bounded(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "ANSWER_BYTES", 100_000)
    replay.headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    replay.body = gzip.compress(b"[" + b" " * 5_000_000 + b"]")
    with pytest.raises(ProviderUnavailable, match="more than any model server does"):
        provider_at(replay, "openai").models()


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_an_error_that_unpacks_to_much_more_is_read_in_part(
    replay: Replay, vendor: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    replay.error(500, {}, **{"Content-Encoding": encoding})
    replay.body = pack(b"It broke. " * 3_000_000)
    error = failure(replay, vendor)
    assert "500" in error.what
    assert len(error.what) < 1_000


def test_no_more_of_an_error_is_unpacked_than_is_kept() -> None:
    unpacked = 0

    def pieces() -> Iterator[bytes]:
        nonlocal unpacked
        while True:
            unpacked += 1
            yield b"x" * 10_000

    assert sum(len(piece) for piece in bounded(pieces(), 500, {})) == ERROR_BYTES
    assert unpacked == 7


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_redirect_to_another_server_is_not_followed(replay: Replay, vendor: str) -> None:
    elsewhere = "http://elsewhere.invalid:8080/v1/chat/completions"
    replay.moved = {"/v1/chat/completions": elsewhere, "/v1/messages": elsewhere}
    error = failure(replay, vendor)
    assert isinstance(error, ProviderUnavailable)
    assert "elsewhere.invalid:8080" in error.what
    assert "base URL" in error.next_step
    assert len(replay.received) == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_another_port_is_another_server(replay: Replay, vendor: str) -> None:
    other = Replay()
    try:
        replay.moved = dict.fromkeys(["/v1/chat/completions", "/v1/messages"], f"{other.url}/x")
        assert "Nothing was sent there" in failure(replay, vendor).what
    finally:
        other.server.server_close()


def test_a_redirect_in_a_circle_ends(replay: Replay) -> None:
    replay.moved = {"/v1/chat/completions": "/v1/chat/completions"}
    assert "in a circle" in failure(replay).what
    assert len(replay.received) <= 6


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "100000000000000000000"}, None),
        ({"retry-after": "9" * 5_000}, None),
        ({"retry-after": "1e20"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after-ms": "²"}, None),
        ({"retry-after": "86401"}, None),
        ({"x-ratelimit-reset-requests": "400d"}, None),
        ({"retry-after": "86400"}, 86_400.0),
    ],
)
def test_a_wait_that_nobody_would_wait_is_not_reported(
    replay: Replay, headers: dict[str, str], wait: float | None
) -> None:
    replay.error(429, {"error": {"message": "slow down"}})
    replay.headers |= {name: value for name, value in headers.items() if value.isascii()}
    error = failure(replay)
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == wait
    assert error.next_step == ("Wait a little, then retry." if wait is None else "Wait 86400 s, then retry.")


@pytest.mark.parametrize("fields", [{"n_ctx": "many", "n_prompt_tokens": 5}, {"n_ctx": [], "n_prompt_tokens": {}}])
def test_odd_figures_of_an_overflow_are_left_out(replay: Replay, fields: dict[str, Any]) -> None:
    replay.error(400, {"error": {"message": "too big", "type": "exceed_context_size_error", **fields}})
    assert "larger than the model's window" in failure(replay).what
