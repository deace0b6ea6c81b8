"""Message threads of the replica, through the real anthropic SDK and its own thread helper."""

from __future__ import annotations

import logging
import threading
from typing import Any

import anthropic
import pytest
from anthropic.types.beta import BetaMessage

from tests.support.replica_rig import Rig
from tests.support.word_model import tokens

BETAS = ["message-threads-2026-08-12"]


def create(rig: Rig, *texts: str, thread: dict[str, str] | None = None, **more: Any) -> BetaMessage:
    wanted: Any = {"betas": BETAS, **more}
    messages: Any = [{"role": "user", "content": text} for text in texts]
    return rig.claude.beta.messages.create(
        model="claude-any", max_tokens=20, messages=messages, thread=thread or {"type": "create"}, **wanted
    )


def go_on(rig: Rig, previous: str, text: str = "more", **more: Any) -> BetaMessage:
    return create(rig, text, thread={"type": "continue", "previous_message_id": previous}, **more)


def helper(rig: Rig, **more: Any) -> Any:
    return rig.claude.beta.messages.thread(model="claude-any", max_tokens=20, **more)


def say(text: str) -> Any:
    return {"role": "user", "content": text}


def test_a_plain_message_has_the_shape_the_sdk_declares(rig: Rig) -> None:
    made = rig.claude.messages.create(model="claude-any", max_tokens=20, system="be kind", messages=[say("hello")])
    anthropic.types.Message.model_validate(made.model_dump(), strict=True)
    assert made.id.startswith("msg_01")
    assert made.content[0].text == "fine thanks"  # type: ignore[union-attr]
    assert made.stop_reason == "end_turn"
    assert rig.words.last == [("system", "be kind"), ("user", "hello")]
    assert rig.contents()["message_threads"] == []  # it is not kept


def test_input_tokens_leave_out_what_the_models_server_had_cached(rig: Rig) -> None:
    usage = rig.claude.messages.create(model="m", max_tokens=20, messages=[say("one two three")]).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (3, 2, 0)
    assert usage.output_tokens == 2


def test_a_thread_is_continued_with_the_new_message_alone(rig: Rig) -> None:
    first = create(rig, "my name is Ada", system="be kind")
    second = go_on(rig, first.id, "what is my name")
    third = go_on(rig, second.id, "sure?")
    assert rig.words.last == [
        ("system", "be kind"),
        ("user", "my name is Ada"),
        ("assistant", "fine thanks"),
        ("user", "what is my name"),
        ("assistant", "fine thanks"),
        ("user", "sure?"),
    ]
    totals = [
        message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0) for message in (first, second, third)
    ]
    assert totals == [tokens(body["messages"]) for body in rig.words.bodies]


def test_the_helper_creates_once_and_then_continues(rig: Rig) -> None:
    talk = helper(rig, system="be kind")
    for text in ("one", "two", "three"):
        talk.send(say(text))
    assert [text for role, text in rig.words.last if role == "user"] == ["one", "two", "three"]
    held = rig.contents()["message_threads"]
    assert [entry["continued"] for entry in held] == [True, True, False]
    assert held[-1]["id"] == talk.previous_message_id


def test_the_helper_streams(rig: Rig) -> None:
    talk = helper(rig)
    with talk.stream(say("one")) as stream:
        assert "".join(stream.text_stream) == "fine thanks"
    with talk.stream(say("two")) as stream:
        final = stream.get_final_message()
    assert [text for role, text in rig.words.last if role == "user"] == ["one", "two"]
    assert final.usage.input_tokens + final.usage.cache_read_input_tokens == tokens(rig.words.bodies[-1]["messages"])
    assert final.usage.output_tokens == 2


def test_events_come_in_the_documented_order(rig: Rig) -> None:
    events = rig.claude.beta.messages.create(
        model="m", max_tokens=20, messages=[say("hi")], thread={"type": "create"}, betas=BETAS, stream=True
    )
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
def test_the_helper_replays_a_thread_that_expired(rig: Rig, how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="anthropic")
    talk = helper(rig, system="be kind")
    talk.send(say("one"))
    before = talk.previous_message_id
    if how == "clock":
        rig.clock.now += 300
    else:
        rig.expire(before)
    talk.send(say("two"))
    assert "reason=thread_not_found" in caplog.text
    assert rig.words.last == [("system", "be kind"), ("user", "one"), ("assistant", "fine thanks"), ("user", "two")]
    talk.send(say("three"))
    assert caplog.text.count("Replaying") == 1  # the new thread holds


def test_every_reply_starts_the_five_minutes_again(rig: Rig) -> None:
    message = create(rig, "one")
    for _ in range(4):
        rig.clock.now += 299
        message = go_on(rig, message.id)
    rig.clock.now += 300
    with pytest.raises(anthropic.NotFoundError):
        go_on(rig, message.id)
    create(rig, "another")
    assert len(rig.contents()["message_threads"]) == 1  # what expired is gone


def test_an_unknown_message_is_not_found_with_the_code_the_sdk_knows(rig: Rig) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        go_on(rig, "msg_nothing")
    assert caught.value.body["error"]["details"]["error_code"] == "thread_not_found"  # type: ignore[index]
    assert type(caught.value).__name__ == "ThreadNotFoundError"
    assert caught.value.request_id


def test_a_reply_is_continued_once(rig: Rig) -> None:
    first = create(rig, "one")
    go_on(rig, first.id)
    with pytest.raises(anthropic.BadRequestError, match="already been continued") as caught:
        go_on(rig, first.id)
    assert type(caught.value).__name__ == "ThreadAlreadyContinuedError"


def test_two_at_once_cannot_continue_the_same_reply(rig: Rig) -> None:
    first = create(rig, "one")
    rig.words.gate = threading.Event()
    stream = rig.claude.beta.messages.create(
        model="claude-any",
        max_tokens=20,
        messages=[say("two")],
        betas=BETAS,
        stream=True,
        thread={"type": "continue", "previous_message_id": first.id},
    )
    next(event for event in stream if event.type == "content_block_delta")
    with pytest.raises(anthropic.BadRequestError) as caught:
        go_on(rig, first.id)
    assert type(caught.value).__name__ == "ThreadContinueInFlightError"
    stream.close()
    assert rig.words.cut_off.wait(10)
    rig.words.gate = None
    assert go_on(rig, first.id).stop_reason == "end_turn"  # a turn that came to nothing leaves the reply free


def test_a_turn_whose_model_fails_can_be_tried_again(rig: Rig) -> None:
    first = create(rig, "one")
    rig.words.error = (500, {"error": {"message": "boom"}})
    with pytest.raises(anthropic.InternalServerError):
        go_on(rig, first.id)
    rig.words.error = (429, {"error": {"message": "slow down"}})
    with pytest.raises(anthropic.RateLimitError):
        go_on(rig, first.id)
    rig.words.error = None
    assert go_on(rig, first.id).stop_reason == "end_turn"


def test_a_stream_that_breaks_off_ends_in_an_error_and_is_not_held(rig: Rig) -> None:
    rig.words.break_off = True
    stream = rig.claude.messages.create(model="m", max_tokens=20, messages=[say("hi")], stream=True)
    with pytest.raises(anthropic.APIStatusError, match="broke off"):
        list(stream)
    assert rig.contents()["message_threads"] == []


def test_what_a_thread_cannot_be_combined_with_is_named(rig: Rig) -> None:
    edits: Any = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    with pytest.raises(anthropic.BadRequestError) as caught:
        create(rig, "one", context_management=edits, betas=[*BETAS, "context-management-2025-06-27"])
    assert type(caught.value).__name__ == "ThreadUnsupportedRequestError"
    assert caught.value.body["error"]["details"]["unsupported"] == ["context_management"]  # type: ignore[index]
    talk = helper(rig, context_management=edits)
    with pytest.raises(anthropic.BadRequestError):
        talk.send(say("one"))
    fallback = helper(rig, context_management=edits, unsupported_request_behavior="continue_unthreaded")
    fallback.send(say("one"))
    fallback.send(say("two"))
    assert [text for role, text in rig.words.last if role == "user"] == ["one", "two"]
    assert rig.contents()["message_threads"] == []


@pytest.mark.parametrize(
    ("more", "what"),
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
def test_continuations_are_refused_in_anthropics_shape(rig: Rig, more: dict[str, Any], what: str) -> None:
    first = create(rig, "one")
    betas = more.pop("betas", BETAS)
    body = {
        "model": "claude-any",
        "max_tokens": 20,
        "messages": [say("two")],
        "thread": {"type": "continue", "previous_message_id": first.id},
        **more,
    }
    answer = rig.http.post("/v1/messages", json=body, headers={"anthropic-beta": ",".join(betas)})
    assert (answer.status_code, answer.json()["type"]) == (400, "error")
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert what in answer.json()["error"]["message"]
    assert go_on(rig, first.id).stop_reason == "end_turn"  # the thread is as it was


def test_a_prompt_that_is_too_long_is_refused_with_the_numbers(rig: Rig) -> None:
    first = create(rig, "x " * 300)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 408 tokens > 400 maximum"):
        go_on(rig, first.id, "x " * 100)
    assert go_on(rig, first.id, "short").stop_reason == "end_turn"


def test_how_a_reply_was_cut_off(rig: Rig) -> None:
    rig.words.reply = "word " * 40
    assert create(rig, "hi").stop_reason == "max_tokens"
    assert create(rig, "x " * 390).stop_reason == "model_context_window_exceeded"
    assert [body["max_tokens"] for body in rig.words.bodies] == [20, 400 - 392]


def test_counting_before_sending(rig: Rig) -> None:
    count = rig.claude.messages.count_tokens(model="m", system="be kind", messages=[say("one two three")])
    assert count.input_tokens == 4 + 5
    assert rig.words.bodies == []
    body = {"model": "m", "messages": [say("x")], "thread": {"type": "create"}}
    assert rig.http.post("/v1/messages/count_tokens", json=body).status_code == 400
