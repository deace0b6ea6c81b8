"""What both providers send, and how they read usage, stop reasons and errors: the real SDKs on recorded answers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lib.errors import ContentRefused, InvalidRequest, MissingKey, ProviderUnavailable, WrongKey
from lib.messages import Message, Usage, assistant, system, user
from lib.providers import ChatRequest, ReasoningDelta, Reply, TextDelta
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider
from lib.providers.wire_format import response_items
from lib.settings import Endpoint
from tests.support.servers.replay_server import Replay, chunk, message_events, says

MESSAGES = (
    system("Be brief."),
    user('Ünïcode 😀 and a cut one \ud83d, "quotes" \\ and \n lines'),
    assistant("Yes."),
    Message("user", [{"type": "text", "text": "a part \udc00"}]),
)
REQUEST = ChatRequest("model-1", MESSAGES, 99)


def openai(replay: Replay) -> OpenAIProvider:
    return OpenAIProvider(Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1"), "sk-test", {"temperature": 0})


def anthropic(replay: Replay) -> AnthropicProvider:
    return AnthropicProvider(Endpoint("it", "anthropic", "It", base_url=replay.url), "sk-ant-test")


def reply_of(provider: OpenAIProvider | AnthropicProvider, request: ChatRequest = REQUEST) -> Reply:
    reply = list(provider.stream(provider.prepare(request)))[-1]
    assert isinstance(reply, Reply)
    return reply


def test_openai_receives_the_messages_with_lone_surrogates_replaced(replay: Replay) -> None:
    body = openai(replay).prepare(REQUEST).body
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert body["messages"][1]["content"] == 'Ünïcode 😀 and a cut one \ufffd, "quotes" \\ and \n lines'
    assert body["messages"][3]["content"] == [{"type": "text", "text": "a part \ufffd"}]
    assert (body["max_tokens"], body["stream_options"]) == (99, {"include_usage": True})


@pytest.mark.parametrize(
    "url", [None, "https://api.openai.com/v1", "https://eu.api.openai.com/v1", "https://x.openai.azure.com/"]
)
def test_openai_itself_receives_max_completion_tokens(url: str | None) -> None:
    body = OpenAIProvider(Endpoint("openai", "openai", "OpenAI", base_url=url), "sk-x").prepare(REQUEST).body
    assert body["max_completion_tokens"] == 99
    assert "max_tokens" not in body


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:11434/v1", "https://notopenai.com/v1", "https://api.openai.com.example/v1"]
)
def test_other_servers_receive_max_tokens(url: str) -> None:
    body = OpenAIProvider(Endpoint("it", "openai", "It", base_url=url), None).prepare(REQUEST).body
    assert body["max_tokens"] == 99
    assert "max_completion_tokens" not in body


def test_anthropic_receives_the_system_prompt_outside_the_list_with_caching_on(replay: Replay) -> None:
    body = anthropic(replay).prepare(REQUEST).body
    assert body["system"] == "Be brief."
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["cache_control"] == {"type": "ephemeral"}
    assert body["max_tokens"] == 99


def test_fields_of_other_services_are_not_sent(replay: Replay) -> None:
    message = Message("user", "hi", {"timestamp": 7, "name": "Ada"})
    assert openai(replay).prepare(ChatRequest("m", (message,), 9)).body["messages"] == [
        {"role": "user", "content": "hi", "name": "Ada"}
    ]


def test_no_body_holds_a_key(replay: Replay) -> None:
    for provider in (openai(replay), anthropic(replay)):
        assert b"sk-" not in provider.prepare(REQUEST).data


def test_openai_usage_includes_cached_tokens(replay: Replay) -> None:
    usage = {
        "prompt_tokens": 4020,
        "completion_tokens": 50,
        "total_tokens": 4070,
        "prompt_tokens_details": {"cached_tokens": 4012, "cache_write_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    replay.events(says("a"), says("b"), says(end="stop"), chunk(choices=[], usage=usage))
    reply = reply_of(openai(replay))
    assert reply == Reply("ab", Usage(4020, 4012, 8, 50, 30), "model-1-dated", "end", "chat-1", reply_id="chat-1")


def test_anthropic_usage_is_changed_to_include_cached_tokens(replay: Replay) -> None:
    start = {
        "input_tokens": 100,
        "cache_read_input_tokens": 1500,
        "cache_creation_input_tokens": 400,
        "output_tokens": 1,
    }
    replay.events(*message_events("a", "b", start=start, end={"output_tokens": 50}), named=True)
    reply = reply_of(anthropic(replay))
    assert reply == Reply("ab", Usage(2000, 1500, 400, 50, None), "model-1-dated", "end", "msg-1", reply_id="msg-1")


def test_anthropic_thinking_is_reported_as_reasoning(replay: Replay) -> None:
    end = {"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}}
    replay.events(*message_events("a", end=end), named=True)
    assert reply_of(anthropic(replay)).usage == Usage(3, None, None, 50, 30)


def test_last_anthropic_figures_without_cache_counts_do_not_shrink_the_input(replay: Replay) -> None:
    start = {"input_tokens": 100, "cache_read_input_tokens": 1500, "output_tokens": 1}
    replay.events(*message_events("a", start=start, end={"input_tokens": 100, "output_tokens": 5}), named=True)
    assert reply_of(anthropic(replay)).usage.input_tokens == 1600


def test_usage_that_is_not_reported_is_unknown(replay: Replay) -> None:
    replay.events(says("a", "stop"))
    assert reply_of(openai(replay)).usage == Usage()


@pytest.mark.parametrize(
    ("reported", "expected"), [("stop", "end"), ("length", "length"), ("content_filter", "refused"), ("other", "other")]
)
def test_openai_reports_why_the_reply_ended(replay: Replay, reported: str, expected: str) -> None:
    replay.events(says("a", reported))
    assert reply_of(openai(replay)).stop_reason == expected


@pytest.mark.parametrize(
    ("reported", "expected"),
    [("end_turn", "end"), ("max_tokens", "length"), ("refusal", "refused"), ("pause_turn", "pause_turn")],
)
def test_anthropic_reports_why_the_reply_ended(replay: Replay, reported: str, expected: str) -> None:
    replay.events(*message_events("a", stop=reported), named=True)
    assert reply_of(anthropic(replay)).stop_reason == expected


def test_an_openai_refusal_is_text_with_the_stop_reason_refused(replay: Replay) -> None:
    replay.events(says(refusal="I cannot "), says(refusal="do that."), says(end="stop"))
    reply = reply_of(openai(replay))
    assert reply.text == "I cannot do that."
    assert reply.stop_reason == "refused"


def test_streamed_reasoning_comes_apart_from_the_reply(replay: Replay) -> None:
    both = says(reasoning_content="m", reasoning="m")  # some servers write it into both fields
    replay.events(
        says(reasoning_content="h"), both, says(reasoning=", so"), says("a", reasoning=None), says(end="stop")
    )
    events = list(openai(replay).stream(openai(replay).prepare(REQUEST)))
    assert events[:4] == [ReasoningDelta("h"), ReasoningDelta("m"), ReasoningDelta(", so"), TextDelta("a")]
    end = events[-1]
    assert isinstance(end, Reply)
    assert (end.text, end.reasoning, end.note) == ("a", "hm, so", "")


def test_claudes_thinking_comes_apart_from_the_reply_and_without_its_signature(replay: Replay) -> None:
    blocks = [
        {
            "type": "content_block_start",
            "index": at,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        }
        for at in (0, 1)
    ]
    thoughts = [
        {"type": "content_block_delta", "index": at, "delta": {"type": "thinking_delta", "thinking": text}}
        for at, text in enumerate(("hm", "so"))
    ]
    signed = {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQB"}}
    sealed = {"type": "content_block_start", "index": 2, "content_block": {"type": "redacted_thinking", "data": "Eu4"}}
    begin, *rest = message_events("a", end={"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}})
    replay.events(begin, blocks[0], thoughts[0], signed, blocks[1], thoughts[1], sealed, *rest, named=True)
    reply = reply_of(anthropic(replay))
    assert (reply.text, reply.reasoning, reply.usage.reasoning_tokens) == ("a", "hm\n\nso", 30)


def test_reasoning_that_is_no_text_counts_as_not_reported(replay: Replay) -> None:
    replay.events(says(reasoning={"a": 1}), says("a", "stop"))
    reply = reply_of(openai(replay))
    assert (reply.text, reply.reasoning) == ("a", "")
    assert "reasoning as an object" in reply.note


@pytest.mark.parametrize("delta", [{}, {"delta": None}])
def test_a_choice_without_a_delta_is_skipped(replay: Replay, delta: dict[str, Any]) -> None:
    replay.events(chunk(choices=[{"index": 0, "finish_reason": None, **delta}]), says("a", "stop"))
    assert reply_of(openai(replay)).text == "a"


def test_the_request_id_comes_from_the_headers(replay: Replay) -> None:
    replay.events(says("a", "stop"))
    replay.headers["x-request-id"] = "req-1"
    assert reply_of(openai(replay)).request_id == "req-1"
    replay.events(*message_events("a"), named=True)
    replay.headers["request-id"] = "req-2"
    assert reply_of(anthropic(replay)).request_id == "req-2"


def test_a_reply_that_breaks_off_is_an_error(replay: Replay) -> None:
    replay.events(says("The answer is "))
    with pytest.raises(ProviderUnavailable, match="in the middle of its reply"):
        reply_of(openai(replay))
    replay.events(*message_events("The answer is ")[:3], named=True)
    with pytest.raises(ProviderUnavailable, match="in the middle of its reply"):
        reply_of(anthropic(replay))


def test_a_last_chunk_with_usage_ends_a_reply_too(replay: Replay) -> None:
    replay.events(says("a"), chunk(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}))
    assert reply_of(openai(replay)).text == "a"


def test_an_anthropic_refusal_without_text_is_an_error(replay: Replay) -> None:
    replay.events(*message_events(stop="refusal"), named=True)
    with pytest.raises(ContentRefused):
        reply_of(anthropic(replay))


def test_without_a_key_nothing_is_sent(replay: Replay) -> None:
    with_openai = OpenAIProvider(Endpoint("openai", "openai", "OpenAI", base_url=replay.url, needs_key=True), None)
    with_anthropic = AnthropicProvider(
        Endpoint("anthropic", "anthropic", "Anthropic", base_url=replay.url, needs_key=True), None
    )
    for provider in (with_openai, with_anthropic):
        with pytest.raises(MissingKey, match="No API key is known"):
            list(provider.stream(provider.prepare(REQUEST)))
    assert replay.received == []


def test_a_server_that_needs_no_key_answers_without_one(replay: Replay) -> None:
    replay.events(says("a", "stop"))
    assert reply_of(OpenAIProvider(Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1"), None)).text == "a"


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-ü", "“sk-1”", "sk 1"])
def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(replay: Replay, key: str) -> None:
    for adapter in (OpenAIProvider, AnthropicProvider):
        provider = adapter(Endpoint("it", "openai", "It", base_url=replay.url), key)
        with pytest.raises(WrongKey) as caught:
            list(provider.stream(provider.prepare(REQUEST)))
        assert key not in f"{caught.value.to_dict()}"
    assert replay.received == []


def test_spaces_around_a_pasted_key_are_ignored(replay: Replay) -> None:
    replay.events(says("a", "stop"))
    endpoint = Endpoint("it", "openai", "It", base_url=f"{replay.url}/v1")
    assert reply_of(OpenAIProvider(endpoint, " sk-test\n")).text == "a"


def test_requests_to_this_machine_bypass_a_proxy(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    replay.events(says("a", "stop"))
    assert reply_of(openai(replay)).text == "a"


def test_a_server_on_this_machine_may_close_the_connection_after_any_answer() -> None:
    class ClosesConnections(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # promises to take more requests on the connection

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            if not hasattr(self, "answered"):
                self.answered = True
                self.send_response(200)
                self.send_header("Content-Length", "12")
                self.end_headers()
                self.wfile.write(b'{"data": []}')
            else:
                self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), ClosesConnections) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        provider = OpenAIProvider(
            Endpoint("it", "openai", "It", base_url=f"http://127.0.0.1:{server.server_port}"), None
        )
        assert [provider.models() for _ in range(3)] == [[], [], []]
        server.shutdown()


def test_openai_itself_counts_with_the_responses_protocol(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.providers.openai.is_openai", lambda url: True)
    replay.headers, replay.body = (
        {"Content-Type": "application/json"},
        b'{"object": "response.input_tokens", "input_tokens": 42}',
    )
    assert openai(replay).count(REQUEST) == 42
    assert replay.paths == ["/v1/responses/input_tokens"]
    text = 'Ünïcode 😀 and a cut one \ufffd, "quotes" \\ and \n lines'
    assert json.loads(replay.received[0]) == {
        "model": "model-1",
        "input": [
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be brief."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a part \ufffd"}]},
        ],
    }


def test_tool_calls_and_images_are_counted_as_items_of_the_responses_protocol() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert response_items(
        [
            Message("user", [{"type": "text", "text": "see"}, image]),
            Message("assistant", None, {"tool_calls": [call]}),
            Message("tool", "result", {"tool_call_id": "c1"}),
            Message("assistant", ""),
        ]
    ) == [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
            ],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "result"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ""}]},
    ]


def test_another_server_counts_the_exact_request_if_it_can(replay: Replay) -> None:
    replay.headers, replay.body = {"Content-Type": "application/json"}, b'{"input_tokens": 42}'
    assert openai(replay).count(REQUEST) == 42
    assert replay.paths == ["/v1/chat/completions/input_tokens"]
    assert replay.received == [openai(replay).prepare(REQUEST).data]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_the_count_is_none_if_the_server_cannot_count(replay: Replay, status: int) -> None:
    replay.error(status, {"error": {"message": "not found"}})
    assert openai(replay).count(REQUEST) is None
    assert replay.paths == ["/v1/chat/completions/input_tokens", "/v1/responses/input_tokens"]


def test_counting_for_an_unknown_model_is_an_error(replay: Replay) -> None:
    replay.error(404, {"error": {"message": "The model does not exist", "code": "model_not_found"}})
    with pytest.raises(InvalidRequest, match="does not exist"):
        openai(replay).count(REQUEST)


def test_anthropic_steps_that_are_billed_separately_are_hidden_tokens(replay: Replay) -> None:
    step = {"input_tokens": 100, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 3, "output_tokens": 7}
    iterations = [
        {"type": "compaction", **step},
        {"type": "message", **step},
        {"type": "advisor_message", "model": "m", **step},
    ]
    replay.events(*message_events("a", end={"output_tokens": 7, "iterations": iterations}), named=True)
    assert reply_of(anthropic(replay)).usage.hidden_tokens == 2 * 130
    replay.events(*message_events("a", end={"output_tokens": 7, "iterations": iterations[1:2]}), named=True)
    assert reply_of(anthropic(replay)).usage.hidden_tokens == 0
    replay.events(*message_events("a", end={"output_tokens": 7, "iterations": None}), named=True)
    assert reply_of(anthropic(replay)).usage.hidden_tokens is None


def test_a_list_of_models_that_is_null_is_empty(replay: Replay) -> None:
    replay.status, replay.headers = 200, {"Content-Type": "application/json"}
    replay.body = b'{"object": "list", "data": null}'
    assert openai(replay).models() == []


def test_model_names_come_from_the_server(replay: Replay) -> None:
    replay.status, replay.headers = 200, {"Content-Type": "application/json"}
    replay.body = json.dumps(
        {"object": "list", "data": [{"id": "b", "object": "model"}, {"id": "a", "object": "model"}]}
    ).encode()
    assert openai(replay).models() == ["a", "b"]
    replay.body = json.dumps(
        {
            "data": [{"id": "claude-x", "type": "model", "display_name": "X", "created_at": "2026-01-01T00:00:00Z"}],
            "has_more": False,
            "first_id": "claude-x",
            "last_id": "claude-x",
        }
    ).encode()
    assert anthropic(replay).models() == ["claude-x"]
