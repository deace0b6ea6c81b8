"""Claude's message threads: our requests are those of Anthropic's own helper, and a replay is visible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from lib.errors import ContextOverflow, InvalidRequest, ProviderUnavailable
from lib.messages import assistant, user
from lib.server_history import ThreadSettings
from lib.server_history.adapters.claude import BETA, ClaudeHistory
from lib.settings import Endpoint
from tests.support.server_history.server_turns import last_turn
from tests.support.servers.claude_server import REPLY, ClaudeServer

PROMPTS = ["Hello there", "And then?", "And after that?"]


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as server:
        yield server


def our_history(server: ClaudeServer) -> ClaudeHistory:
    endpoint = Endpoint("it", "anthropic", "It", base_url=server.url, model="scripted")
    return ClaudeHistory(endpoint, "key", ThreadSettings(max_output_tokens=50))


def anthropics_thread(server: ClaudeServer, **options: Any) -> Any:
    """Anthropic's own helper for message threads."""
    client = anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=0)
    return client.beta.messages.thread(model="scripted", max_tokens=50, system="Be brief.", **options)


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A request body with all content as text blocks; the helper writes strings and blocks, which mean the same."""
    messages = []
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        messages.append(
            {"role": message["role"], "content": [{"type": "text", "text": block["text"]} for block in blocks]}
        )
    return {**body, "messages": messages}


@pytest.mark.parametrize("thread_is_lost", [False, True])
def test_our_requests_are_those_of_anthropics_own_helper(thread_is_lost: bool) -> None:
    with ClaudeServer() as their_server:
        thread = anthropics_thread(their_server)
        for number, text in enumerate(PROMPTS):
            if thread_is_lost and number == 2:
                their_server.forget()
            with thread.stream({"role": "user", "content": text}) as stream:
                stream.until_done()
    with ClaudeServer() as our_server:
        history = our_history(our_server)
        handle = history.create("Be brief.")
        for number, text in enumerate(PROMPTS):
            if thread_is_lost and number == 2:
                our_server.forget()
            handle = last_turn(history, handle, text).handle
    ours = [plain(body) for body in our_server.bodies]
    assert ours == [plain(body) for body in their_server.bodies]
    assert [body["thread"]["type"] for body in ours][:3] == ["create", "continue", "continue"]
    assert len(ours) == (4 if thread_is_lost else 3)
    assert all(beta and BETA in beta for beta in our_server.betas)
    assert "system" not in ours[1]


def test_a_refused_turn_is_kept_neither_by_us_nor_by_the_helper(server: ClaudeServer) -> None:
    stop_reasons = ("end_turn", "refusal", "end_turn")
    thread = anthropics_thread(server)
    for text, stop_reason in zip(PROMPTS, stop_reasons, strict=True):
        server.stop_reason = stop_reason
        thread.send({"role": "user", "content": text})
    theirs = [comparable(body) for body in server.bodies]
    server.bodies.clear()
    history, turns = our_history(server), []
    handle = history.create("Be brief.")
    for text, stop_reason in zip(PROMPTS, stop_reasons, strict=True):
        server.stop_reason = stop_reason
        turns.append(last_turn(history, handle, text))
        handle = turns[-1].handle
    assert [comparable(body) for body in server.bodies] == theirs
    assert (turns[1].status, turns[1].reason) == ("failed", "refusal")
    assert turns[2].replayed


def comparable(body: dict[str, Any]) -> dict[str, Any]:
    """A request body without the ids of replies, and without `stream`, which the helper sets by its method."""
    kept = {name: value for name, value in plain(body).items() if name != "stream"}
    return {**kept, "thread": body["thread"]["type"]}


def test_a_lost_thread_is_sent_again_and_the_turn_says_so(server: ClaudeServer) -> None:
    history = our_history(server)
    first = last_turn(history, history.create("Be brief."), PROMPTS[0])
    assert (first.replayed, len(first.wires)) == (False, 1)
    server.forget()
    second = last_turn(history, first.handle, PROMPTS[1])
    assert second.replayed
    assert [wire.status for wire in second.wires] == [404, 200]
    assert "all of it was sent again" in second.notes[0]
    assert second.handle.own_copy == (
        user(PROMPTS[0]),
        assistant("".join(REPLY)),
        user(PROMPTS[1]),
        assistant("".join(REPLY)),
    )
    third = last_turn(history, second.handle, PROMPTS[2])
    assert (third.replayed, len(third.wires)) == (False, 1)


@pytest.mark.parametrize("code", ["thread_already_continued", "thread_continue_in_flight"])
def test_a_thread_that_cannot_be_continued_is_replayed(server: ClaudeServer, code: str) -> None:
    history = our_history(server)
    first = last_turn(history, history.create("Be brief."), PROMPTS[0])
    server.error_code, server.error_once = code, True
    assert last_turn(history, first.handle, PROMPTS[1]).replayed
    assert server.statuses == [200, 404, 200]


def test_what_a_thread_cannot_hold_raises_and_is_not_sent_without_a_thread(server: ClaudeServer) -> None:
    server.error_code = "thread_unsupported_request"
    history = our_history(server)
    with pytest.raises(InvalidRequest, match="thread_unsupported_request"):
        last_turn(history, history.create("Be brief."), PROMPTS[0])
    assert len(server.bodies) == 1
    with pytest.raises(anthropic.BadRequestError):
        anthropics_thread(server, unsupported_request_behavior="error").send({"role": "user", "content": PROMPTS[0]})


def test_after_a_reply_by_another_model_everything_is_sent_again(server: ClaudeServer) -> None:
    history = our_history(server)
    server.fallback = True
    first = last_turn(history, history.create("Be brief."), PROMPTS[0])
    second = last_turn(history, first.handle, PROMPTS[1])
    assert second.replayed
    assert [body["thread"]["type"] for body in server.bodies] == ["create", "create"]


def test_a_reply_that_breaks_off_is_not_kept(server: ClaudeServer) -> None:
    history = our_history(server)
    server.breaks_off = True
    with pytest.raises(ProviderUnavailable, match="in the middle"):
        last_turn(history, history.create("Be brief."), PROMPTS[0])


def test_a_reply_that_is_cut_off_is_incomplete_and_kept(server: ClaudeServer) -> None:
    history = our_history(server)
    server.stop_reason = "max_tokens"
    turn = last_turn(history, history.create("Be brief."), PROMPTS[0])
    assert (turn.status, turn.reason) == ("incomplete", "max_tokens")
    assert turn.handle.last("message")


def test_input_tokens_include_cached_ones(server: ClaudeServer) -> None:
    history = our_history(server)
    turn = last_turn(history, history.create("Be brief."), PROMPTS[0])
    assert (turn.usage.input_tokens, turn.usage.cached_tokens) == (14, 2)
    assert history.count(history.create("Be brief."), PROMPTS[0]) == 14


def test_an_overflow_keeps_the_thread(server: ClaudeServer) -> None:
    history = our_history(server)
    first = last_turn(history, history.create("Be brief."), PROMPTS[0])
    with pytest.raises(ContextOverflow) as caught:
        last_turn(history, first.handle, "word " * 4000)
    assert caught.value.limit == 3000
    assert not last_turn(history, first.handle, PROMPTS[1]).replayed


def test_no_deletion_is_claimed(server: ClaudeServer) -> None:
    history = our_history(server)
    deletion = history.delete(last_turn(history, history.create(""), PROMPTS[0]).handle)
    assert not deletion.proven
    assert "No call deletes" in deletion.sentence
    assert len(server.bodies) == 1
