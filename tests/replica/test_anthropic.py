"""Message threads of the replica, through the real anthropic SDK and its thread helper."""

from __future__ import annotations

import logging
import threading
from typing import Any

import anthropic
import pytest
from anthropic.types.beta import BetaMessage

from tests.support.server_history.connected_replica import ConnectedReplica
from tests.support.servers.word_model import tokens

BETAS = ["message-threads-2026-08-12"]
CREATE = {"type": "create"}


def user_message(text: str) -> Any:
    return {"role": "user", "content": text}


def continuing(previous: str) -> dict[str, str]:
    """The `thread` field that continues from a reply."""
    return {"type": "continue", "previous_message_id": previous}


def send(replica: ConnectedReplica, text: str, thread: dict[str, str], **fields: Any) -> Any:
    """A message in a thread; a stream if the fields ask for one."""
    request: dict[str, Any] = {"messages": [user_message(text)], "thread": thread, "betas": BETAS, **fields}
    return replica.claude.beta.messages.create(model="claude-any", max_tokens=20, **request)


def create(replica: ConnectedReplica, text: str, **fields: Any) -> BetaMessage:
    """The first message of a thread."""
    message: BetaMessage = send(replica, text, CREATE, **fields)
    return message


def continue_thread(replica: ConnectedReplica, previous: str, text: str = "more", **fields: Any) -> BetaMessage:
    """The next message of a thread."""
    message: BetaMessage = send(replica, text, continuing(previous), **fields)
    return message


def thread_helper(replica: ConnectedReplica, **fields: Any) -> Any:
    """The SDK's own helper."""
    return replica.claude.beta.messages.thread(model="claude-any", max_tokens=20, **fields)


def error_details(exc: anthropic.APIStatusError) -> Any:
    body: Any = exc.body
    return body["error"]["details"]


def input_tokens(message: Any) -> int:
    """Input tokens, cached ones included."""
    return int(message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0))


def test_a_plain_message_has_the_shape_the_sdk_declares(replica: ConnectedReplica) -> None:
    message = replica.claude.messages.create(
        model="claude-any", max_tokens=20, system="be kind", messages=[user_message("hello")]
    )
    anthropic.types.Message.model_validate(message.model_dump(), strict=True)
    assert message.id.startswith("msg_01")
    assert message.model_dump()["content"][0]["text"] == "fine thanks"
    assert message.stop_reason == "end_turn"
    assert replica.model.last == [("system", "be kind"), ("user", "hello")]
    assert replica.contents()["message_threads"] == []  # it is not held


def test_input_tokens_exclude_cached_ones(replica: ConnectedReplica) -> None:
    usage = replica.claude.messages.create(model="m", max_tokens=20, messages=[user_message("one two three")]).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (3, 2, 0)
    assert usage.output_tokens == 2


def test_a_thread_is_continued_with_the_new_message_only(replica: ConnectedReplica) -> None:
    first = create(replica, "my name is Ada", system="be kind")
    second = continue_thread(replica, first.id, "what is my name")
    third = continue_thread(replica, second.id, "sure?")
    assert replica.model.last == [
        ("system", "be kind"),
        ("user", "my name is Ada"),
        ("assistant", "fine thanks"),
        ("user", "what is my name"),
        ("assistant", "fine thanks"),
        ("user", "sure?"),
    ]
    read = [tokens(body["messages"]) for body in replica.model.bodies]
    assert [input_tokens(message) for message in (first, second, third)] == read


def test_the_helper_creates_once_and_then_continues(replica: ConnectedReplica) -> None:
    thread = thread_helper(replica, system="be kind")
    for text in ("one", "two", "three"):
        thread.send(user_message(text))
    assert replica.model.last_prompts == ["one", "two", "three"]
    entries = replica.contents()["message_threads"]
    assert [entry["continued"] for entry in entries] == [True, True, False]
    assert entries[-1]["id"] == thread.previous_message_id


def test_the_helper_streams(replica: ConnectedReplica) -> None:
    thread = thread_helper(replica)
    with thread.stream(user_message("one")) as stream:
        assert "".join(stream.text_stream) == "fine thanks"
    with thread.stream(user_message("two")) as stream:
        final = stream.get_final_message()
    assert replica.model.last_prompts == ["one", "two"]
    assert input_tokens(final) == tokens(replica.model.bodies[-1]["messages"])
    assert final.usage.output_tokens == 2


def test_events_come_in_the_documented_order(replica: ConnectedReplica) -> None:
    events = send(replica, "hi", CREATE, stream=True)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("how", ["clock", "drill"])
def test_the_helper_replays_a_thread_that_expired(
    replica: ConnectedReplica, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="anthropic")
    thread = thread_helper(replica, system="be kind")
    thread.send(user_message("one"))
    if how == "clock":
        replica.clock.now += 300
    else:
        replica.expire(thread.previous_message_id)
    thread.send(user_message("two"))
    assert "reason=thread_not_found" in caplog.text
    assert replica.model.last == [("system", "be kind"), ("user", "one"), ("assistant", "fine thanks"), ("user", "two")]
    thread.send(user_message("three"))
    assert caplog.text.count("Replaying") == 1  # the new thread works


def test_every_reply_restarts_the_five_minutes(replica: ConnectedReplica) -> None:
    message = create(replica, "one")
    for _ in range(4):
        replica.clock.now += 299
        message = continue_thread(replica, message.id)
    replica.clock.now += 300
    with pytest.raises(anthropic.NotFoundError):
        continue_thread(replica, message.id)
    create(replica, "another")
    assert len(replica.contents()["message_threads"]) == 1  # the expired ones are gone


def test_an_unknown_message_is_refused_with_the_code_the_sdk_knows(replica: ConnectedReplica) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        continue_thread(replica, "msg_nothing")
    assert error_details(caught.value)["error_code"] == "thread_not_found"
    assert type(caught.value).__name__ == "ThreadNotFoundError"
    assert caught.value.request_id


def test_a_reply_is_continued_once(replica: ConnectedReplica) -> None:
    first = create(replica, "one")
    continue_thread(replica, first.id)
    with pytest.raises(anthropic.BadRequestError, match="already been continued") as caught:
        continue_thread(replica, first.id)
    assert type(caught.value).__name__ == "ThreadAlreadyContinuedError"


def test_two_requests_at_once_cannot_continue_the_same_reply(replica: ConnectedReplica) -> None:
    first = create(replica, "one")
    replica.model.gate = threading.Event()
    stream = send(replica, "two", continuing(first.id), stream=True)
    next(event for event in stream if event.type == "content_block_delta")
    with pytest.raises(anthropic.BadRequestError) as caught:
        continue_thread(replica, first.id)
    assert type(caught.value).__name__ == "ThreadContinueInFlightError"
    stream.close()
    assert replica.model.reader_left.wait(10)
    replica.model.gate = None
    assert continue_thread(replica, first.id).stop_reason == "end_turn"  # an unfinished turn leaves the reply free


def test_a_turn_whose_model_fails_can_be_retried(replica: ConnectedReplica) -> None:
    first = create(replica, "one")
    replica.model.error = (500, {"error": {"message": "boom"}})
    with pytest.raises(anthropic.InternalServerError):
        continue_thread(replica, first.id)
    replica.model.error = (429, {"error": {"message": "slow down"}})
    with pytest.raises(anthropic.RateLimitError):
        continue_thread(replica, first.id)
    replica.model.error = None
    assert continue_thread(replica, first.id).stop_reason == "end_turn"


def test_a_stream_that_breaks_off_ends_with_an_error_and_is_not_held(replica: ConnectedReplica) -> None:
    replica.model.break_off = True
    stream = replica.claude.messages.create(model="m", max_tokens=20, messages=[user_message("hi")], stream=True)
    with pytest.raises(anthropic.APIStatusError, match="broke off"):
        list(stream)
    assert replica.contents()["message_threads"] == []


def test_fields_that_cannot_be_combined_with_a_thread_are_named(replica: ConnectedReplica) -> None:
    edits: Any = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    with pytest.raises(anthropic.BadRequestError) as caught:
        create(replica, "one", context_management=edits, betas=[*BETAS, "context-management-2025-06-27"])
    assert type(caught.value).__name__ == "ThreadUnsupportedRequestError"
    assert error_details(caught.value)["unsupported"] == ["context_management"]
    thread = thread_helper(replica, context_management=edits)
    with pytest.raises(anthropic.BadRequestError):
        thread.send(user_message("one"))
    fallback = thread_helper(replica, context_management=edits, unsupported_request_behavior="continue_unthreaded")
    fallback.send(user_message("one"))
    fallback.send(user_message("two"))
    assert replica.model.last_prompts == ["one", "two"]
    assert replica.contents()["message_threads"] == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"system": "be rude"}, "system: must not be set"),
        ({"tools": [{"name": "t", "input_schema": {"type": "object"}}]}, "tools: not supported"),
        ({"model": "another"}, "differing field `model`"),
        ({"betas": []}, "thread: Extra inputs are not permitted"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "reads text only"),
        ({"thread": {"type": "fork"}}, "thread.type"),
        ({"max_tokens": None}, "max_tokens"),
    ],
)
def test_invalid_continuations_are_refused_in_anthropics_shape(
    replica: ConnectedReplica, fields: dict[str, Any], message: str
) -> None:
    first = create(replica, "one")
    betas = fields.get("betas", BETAS)
    body = {
        "model": "claude-any",
        "max_tokens": 20,
        "messages": [user_message("two")],
        "thread": continuing(first.id),
        **{name: value for name, value in fields.items() if name != "betas"},
    }
    answer = replica.http.post("/v1/messages", json=body, headers={"anthropic-beta": ",".join(betas)})
    assert (answer.status_code, answer.json()["type"]) == (400, "error")
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert message in answer.json()["error"]["message"]
    assert continue_thread(replica, first.id).stop_reason == "end_turn"  # the thread is unchanged


def test_a_prompt_that_is_too_long_is_refused_with_the_numbers(replica: ConnectedReplica) -> None:
    first = create(replica, "x " * 300)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 408 tokens > 400 maximum"):
        continue_thread(replica, first.id, "x " * 100)
    assert continue_thread(replica, first.id, "short").stop_reason == "end_turn"


def test_the_stop_reason_says_how_a_reply_was_cut_off(replica: ConnectedReplica) -> None:
    replica.model.reply = "word " * 40
    assert create(replica, "hi").stop_reason == "max_tokens"
    assert create(replica, "x " * 390).stop_reason == "model_context_window_exceeded"
    assert [body["max_tokens"] for body in replica.model.bodies] == [20, 400 - 392]


def test_a_conversation_is_counted_before_it_is_sent(replica: ConnectedReplica) -> None:
    count = replica.claude.messages.count_tokens(model="m", system="be kind", messages=[user_message("one two three")])
    assert count.input_tokens == 4 + 5
    assert replica.model.bodies == []
    body = {"model": "m", "messages": [user_message("x")], "thread": CREATE}
    assert replica.http.post("/v1/messages/count_tokens", json=body).status_code == 400
