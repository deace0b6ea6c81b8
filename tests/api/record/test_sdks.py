"""The vendors' own SDKs talk to the recorder as to the vendor: every request becomes a turn, byte for byte."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from lib.analysis.decisions import difference
from lib.analysis.requests import MessageSizes, records_of
from lib.recorder.rebuild import rebuilt
from lib.tokens import ESTIMATE
from tests.support.servers import upstream
from tests.support.servers.record_server import RecordServer
from tests.support.servers.replay_server import says
from tests.support.servers.upstream import chat_stream, claude, claude_stream, completion, response, said, whole

KEY = "sk-secret-0123456789abcdef"
PICTURE = base64.b64encode(bytes(range(256)) * 40).decode()
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL: Any = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}


@pytest.fixture
def chat(served: RecordServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def claude_sdk(served: RecordServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=served.url, api_key=KEY, max_retries=0) as client:
        yield client


def proved(served: RecordServer, count: int) -> list[str]:
    """How each turn of the newest session is proved, when the bytes that arrived have the recorded SHA-256."""
    turns = served.turns(count)
    assert [turn.request_sha256 for turn in turns] == [
        hashlib.sha256(each.body).hexdigest() for each in served.upstream.received
    ]
    history = served.store.load(served.done(count)[-1].session_id)
    bodies = [rebuilt(turn, turns, history) for turn in turns]
    assert [body.data for body in bodies if body is not None] == [each.body for each in served.upstream.received]
    return [body.proof for body in bodies if body is not None]


def test_a_chat_reads_like_one_made_here(served: RecordServer, chat: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    for text in ("Hi!", "Four."):
        served.upstream.then(whole(completion(text)))
        reply = chat.chat.completions.create(model="model-1", messages=messages, temperature=0.7)
        assert reply.choices[0].message.content == text
        served.done(len(served.upstream.received))
        messages += [reply.choices[0].message.model_dump(), {"role": "user", "content": "And 2+2?"}]
    assert [message.text for message in served.history()] == ["Hello", "Hi!", "And 2+2?", "Four."]
    first, second = served.turns(2)
    assert (first.reply, first.usage.input_tokens, first.stop_reason, first.status) == ("Hi!", 12, "end", "complete")
    assert (second.prompt, second.system_prompt, second.provider) == ("And 2+2?", "Be brief.", "openai")
    assert second.plan is not None
    assert (second.plan.sent, second.plan.left_out, second.plan.runs) == (4, 0, ((0, 3, True, "app_sent"),))
    assert (second.request, second.model) == ({"model": "model-1", "temperature": 0.7}, "model-1")
    assert proved(served, 2) == ["bytes", "bytes"]
    assert served.store.about(served.done(2)[-1].session_id).title == "Hello"


def test_a_stream_arrives_word_by_word_and_its_usage_is_kept(served: RecordServer, chat: openai.OpenAI) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    served.upstream.then(chat_stream("Hi", " there", usage=usage))
    stream = chat.chat.completions.create(
        model="model-1",
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    assert [part.choices[0].delta.content for part in stream if part.choices] == ["Hi", " there", None]
    turn = served.turns(1)[0]
    assert (turn.reply, turn.usage.input_tokens, turn.usage.cached_tokens, turn.status) == (
        "Hi there",
        9,
        4,
        "complete",
    )
    assert turn.first_token_ms is not None
    assert proved(served, 1) == ["bytes"]


def test_a_tool_loop_is_one_session_with_a_turn_for_each_request(served: RecordServer, chat: openai.OpenAI) -> None:
    served.upstream.then(whole(completion(None, tool_calls=[CALL])), whole(completion("Rain.")))
    picture: Any = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
    question: Any = [{"type": "text", "text": "Weather here?"}, picture]
    messages: list[Any] = [{"role": "user", "content": question}]
    first = chat.chat.completions.create(model="model-1", messages=messages, tools=[WEATHER])
    served.done(1)
    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
    chat.chat.completions.create(model="model-1", messages=messages, tools=[WEATHER])
    served.done(2)
    history = served.history()
    assert [message.role for message in history] == ["user", "assistant", "tool", "assistant"]
    assert history[0].content == question
    assert history[1].extra["tool_calls"] == [CALL]
    turns = served.turns(2)
    records = records_of(history, turns)
    assert [(record.at, list(record.reply), record.turn) for record in records] == [
        (0, [1], turns[0]),
        (2, [3], turns[1]),
    ]
    assert turns[0].plan is not None
    assert turns[0].plan.input_tokens < 200  # a picture is not counted as the text that carries it
    assert proved(served, 2) == ["bytes", "bytes"]


def test_reasoning_of_a_compatible_server_is_kept_beside_the_reply(served: RecordServer, chat: openai.OpenAI) -> None:
    served.upstream.then(
        upstream.streamed(says(reasoning_content="It may "), says(reasoning_content="rain."), says("Rain.", "stop")),
        whole(completion("Sun.", reasoning="It may shine.")),
    )
    messages: list[Any] = [{"role": "user", "content": "Weather?"}]
    list(chat.chat.completions.create(model="model-1", messages=messages, stream=True))
    served.done(1)
    messages += [{"role": "assistant", "content": "Rain.", "reasoning_content": "It may rain."}]
    messages += [{"role": "user", "content": "And now?"}]
    chat.chat.completions.create(model="model-1", messages=messages)
    turns = served.turns(2)
    assert [turn.reasoning for turn in turns] == ["It may rain.", "It may shine."]
    assert served.history()[1].to_dict() == {"role": "assistant", "content": "Rain."}
    assert proved(served, 2) == ["bytes", "bytes"]  # the reasoning that was sent back is part of the rebuilt request


def test_streamed_tool_calls_are_put_together(served: RecordServer, chat: openai.OpenAI) -> None:
    pieces = [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"city":'}},
        {"index": 0, "function": {"arguments": '"Oslo"}'}},
    ]
    events = [says(tool_calls=[piece]) for piece in pieces]
    served.upstream.then(upstream.streamed(*events, says(end="tool_calls")))
    ask: Any = {"model": "model-1", "messages": [{"role": "user", "content": "Weather?"}], "stream": True}
    list(chat.chat.completions.create(**ask))
    served.done(1)
    assert served.history()[1].extra["tool_calls"] == [CALL]


def test_an_app_that_trims_is_seen_to_drop(served: RecordServer, chat: openai.OpenAI) -> None:
    messages: list[Any] = []
    for number in range(1, 5):
        messages.append({"role": "user", "content": f"question {number}"})
        served.upstream.then(whole(completion(f"answer {number}")))
        chat.chat.completions.create(model="model-1", messages=messages[-5:])
        messages.append({"role": "assistant", "content": f"answer {number}"})
        served.done(number)
    turns = served.turns(4)
    assert turns[3].plan is not None
    assert turns[3].plan.runs == ((0, 2, False, "app_dropped"), (2, 7, True, "app_sent"))
    records = records_of(served.history(), turns)
    changed = difference(records[2], records[3], MessageSizes(ESTIMATE, served.history()))
    assert (changed.left, changed.entered) == ([(0, 2)], [(5, 7)])
    assert proved(served, 4) == ["bytes"] * 4


def test_claude_with_tools_and_pictures(served: RecordServer, claude_sdk: anthropic.Anthropic) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}}
    think = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    served.upstream.then(
        whole(claude(think, {"type": "text", "text": "Looking."}, call, stop="tool_use", cache_read_input_tokens=5)),
        claude_stream("Ra", "in."),
    )
    source: Any = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    mark: Any = {"type": "ephemeral"}
    question: Any = [{"type": "image", "source": source}, {"type": "text", "text": "Weather?", "cache_control": mark}]
    tools: Any = [{"name": "weather", "input_schema": {"type": "object"}}]
    messages: list[Any] = [{"role": "user", "content": question}]
    ask: Any = {"model": "claude-1", "max_tokens": 99, "system": "Be brief.", "tools": tools}
    first = claude_sdk.messages.create(messages=messages, **ask)
    served.done(1)
    del question[1]["cache_control"]  # apps move the mark to the newest message
    result: Any = {"type": "tool_result", "tool_use_id": "t1", "content": "rain"}
    blocks: Any = [block.model_dump() for block in first.content]
    messages += [{"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]
    with claude_sdk.messages.stream(messages=messages, **ask) as stream:
        assert stream.get_final_text() == "Rain."
    turns = served.turns(2)
    assert [(turn.reply, turn.reasoning) for turn in turns] == [("Looking.", "Hm."), ("Rain.", "")]
    assert (turns[0].usage.input_tokens, turns[0].usage.cached_tokens, turns[0].stop_reason) == (12, 5, "tool_use")
    assert turns[1].plan is not None
    assert turns[1].plan.runs == ((0, 3, True, "app_sent"),)
    assert served.history()[1].content == [think, {"type": "text", "text": "Looking."}, call]
    assert [record.turn for record in records_of(served.history(), turns)] == turns
    assert proved(served, 2) == ["bytes", "bytes"]


def test_responses_with_items_and_with_the_servers_memory(served: RecordServer, chat: openai.OpenAI) -> None:
    summary = [{"type": "summary_text", "text": "Look it up."}]
    reason = {"id": "rs-1", "type": "reasoning", "summary": summary, "encrypted_content": "xxxx"}
    call = {"id": "fc-1", "type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
    served.upstream.then(
        whole(response(reason, call)), upstream.response_stream("It rains."), whole(response(said("Bye")))
    )
    items: Any = [{"role": "user", "content": "Weather?"}]
    tools: Any = [{"type": "function", "name": "weather", "parameters": {}, "strict": False}]
    ask: Any = {"model": "model-1", "instructions": "Be brief.", "tools": tools}
    first = chat.responses.create(input=items, **ask)
    served.done(1)
    items += [item.model_dump(exclude_none=True) for item in first.output]
    items.append({"type": "function_call_output", "call_id": "c1", "output": "rain"})
    events: Any = chat.responses.create(
        model="model-1", instructions="Be brief.", input=items, tools=tools, stream=True
    )
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "Itrains."
    served.done(2)
    chat.responses.create(model="model-1", input="Bye", previous_response_id="resp-1")
    turns = served.turns(3)
    assert [message.role for message in served.history()] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]
    assert served.history()[1].extra["tool_calls"][0]["function"] == {"name": "weather", "arguments": "{}"}
    assert [turn.plan.runs for turn in turns if turn.plan] == [
        ((0, 1, True, "app_sent"),),
        ((0, 3, True, "app_sent"),),
        ((0, 4, False, "server_kept"), (4, 5, True, "app_sent")),
    ]
    assert (turns[1].usage.cached_tokens, turns[1].usage.reasoning_tokens) == (8, 1)
    assert [turn.reasoning for turn in turns] == ["Look it up.", "", ""]
    assert proved(served, 3) == ["bytes"] * 3


def test_errors_are_the_sdks_own(served: RecordServer, chat: openai.OpenAI, claude_sdk: anthropic.Anthropic) -> None:
    limited = {"error": {"message": f"Slow down, {KEY}", "type": "rate_limit", "code": None, "param": None}}
    served.upstream.then(whole(limited, 429, **{"Retry-After": "3", "X-Request-Id": "req-1"}), whole(completion("Hi!")))
    ask: Any = {"model": "model-1", "messages": [{"role": "user", "content": "Hello"}]}
    with pytest.raises(openai.RateLimitError) as caught:
        chat.chat.completions.create(**ask)
    assert (caught.value.request_id, caught.value.response.headers["retry-after"]) == ("req-1", "3")
    served.done(1)
    chat.chat.completions.create(**ask)
    failed, retried = served.turns(2)
    assert (failed.reply, failed.status, failed.stop_reason) == ("", "stopped", "status 429")
    assert "Slow down, [key, not stored]" in failed.note
    assert [message.text for message in served.history()] == ["Hello", "Hi!"]
    assert [record.turn for record in records_of(served.history(), [failed, retried])] == [failed, retried]
    served.recorder.on = False
    with pytest.raises(openai.PermissionDeniedError, match="Recording is off"):
        chat.chat.completions.create(**ask)
    with pytest.raises(anthropic.PermissionDeniedError, match="Recording is off"):
        claude_sdk.messages.create(model="claude-1", max_tokens=9, messages=ask["messages"])
