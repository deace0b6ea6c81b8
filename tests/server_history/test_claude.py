"""Claude's threads: our adapter asks what Anthropic's own helper asks, and says when it sends everything again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from lib.errors import ContextOverflow, InvalidRequest, ProviderUnavailable
from lib.messages import assistant, user
from lib.server_history import Handle, ServerTurn, ThreadSettings
from lib.server_history.adapters.claude import BETA, ClaudeHistory
from lib.settings import Endpoint
from tests.support.claude_server import REPLY, ClaudeServer

SOURCES = ["Hello there", "And then?", "And after that?"]


@pytest.fixture
def server() -> Iterator[ClaudeServer]:
    with ClaudeServer() as running:
        yield running


def ours(server: ClaudeServer) -> ClaudeHistory:
    endpoint = Endpoint("it", "anthropic", "It", base_url=server.url, model="scripted")
    return ClaudeHistory(endpoint, "key", ThreadSettings(max_output_tokens=50))


def helper(server: ClaudeServer, **options: Any) -> Any:
    """Anthropic's own."""
    client = anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=0)
    return client.beta.messages.thread(model="scripted", max_tokens=50, system="Be brief.", **options)


def end_of(history: ClaudeHistory, handle: Handle, text: str) -> ServerTurn:
    *_, turn = history.send(handle, text)
    assert isinstance(turn, ServerTurn)
    return turn


def both(act: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str | None]]:
    """The bodies of three turns by the helper and by us; `act` is called before the third."""
    with ClaudeServer() as theirs:
        thread = helper(theirs)
        for text in SOURCES[:2]:
            with thread.stream({"role": "user", "content": text}) as stream:
                stream.until_done()
        act(theirs)
        with thread.stream({"role": "user", "content": SOURCES[2]}) as stream:
            stream.until_done()
    with ClaudeServer() as mine:
        history, handle = ours(mine), ours(mine).create("Be brief.")
        for text in SOURCES[:2]:
            handle = end_of(history, handle, text).handle
        act(mine)
        end_of(history, handle, SOURCES[2])
    return [plain(body) for body in theirs.bodies], [plain(body) for body in mine.bodies], mine.betas


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A body with every content as blocks, which is the same message; the helper writes strings and blocks."""
    messages = []
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        messages.append(
            {"role": message["role"], "content": [{"type": "text", "text": block["text"]} for block in blocks]}
        )
    return {**body, "messages": messages}


@pytest.mark.parametrize("happens", ["nothing", "forgotten"])
def test_we_ask_what_anthropics_own_helper_asks(happens: str) -> None:
    def act(server: ClaudeServer) -> None:
        if happens == "forgotten":
            server.forget()

    theirs, mine, betas = both(act)
    assert mine == theirs
    assert [body["thread"]["type"] for body in mine][:3] == ["create", "continue", "continue"]
    assert len(mine) == (4 if happens == "forgotten" else 3)
    assert all(beta and BETA in beta for beta in betas)
    assert "system" not in mine[1]


def test_a_refused_turn_is_not_kept_by_either(server: ClaudeServer) -> None:
    thread = helper(server)
    thread.send({"role": "user", "content": SOURCES[0]})
    server.stop_reason = "refusal"
    thread.send({"role": "user", "content": SOURCES[1]})
    server.stop_reason = "end_turn"
    thread.send({"role": "user", "content": SOURCES[2]})
    theirs = [plain(body) for body in server.bodies]
    server.bodies.clear()
    history = ours(server)
    first = end_of(history, history.create("Be brief."), SOURCES[0])
    server.stop_reason = "refusal"
    refused = end_of(history, first.handle, SOURCES[1])
    assert (refused.status, refused.reason) == ("failed", "refusal")
    server.stop_reason = "end_turn"
    third = end_of(history, refused.handle, SOURCES[2])
    mine = [{name: value for name, value in plain(body).items() if name != "stream"} for body in server.bodies]
    assert [strip_ids(body) for body in mine] == [strip_ids(body) for body in theirs]
    assert third.replayed


def strip_ids(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "thread": body["thread"]["type"]}


def test_a_lost_thread_is_sent_again_and_the_turn_says_so(server: ClaudeServer) -> None:
    history = ours(server)
    first = end_of(history, history.create("Be brief."), SOURCES[0])
    assert (first.replayed, len(first.wires)) == (False, 1)
    server.forget()
    second = end_of(history, first.handle, SOURCES[1])
    assert second.replayed
    assert [wire.status for wire in second.wires] == [404, 200]
    assert "all of it was sent again" in second.notes[0]
    assert second.handle.copy == (
        user(SOURCES[0]),
        assistant("".join(REPLY)),
        user(SOURCES[1]),
        assistant("".join(REPLY)),
    )
    third = end_of(history, second.handle, SOURCES[2])
    assert (third.replayed, len(third.wires)) == (False, 1)


@pytest.mark.parametrize("code", ["thread_already_continued", "thread_continue_in_flight"])
def test_other_refusals_that_a_full_request_cures(server: ClaudeServer, code: str) -> None:
    history = ours(server)
    first = end_of(history, history.create("Be brief."), SOURCES[0])
    server.error_code = code
    turned: list[Any] = []
    original = server._turn

    def once(body: dict[str, Any]) -> Any:
        answer = original(body)
        server.error_code = None
        turned.append(answer[0])
        return answer

    server._turn = once  # type: ignore[method-assign]
    assert end_of(history, first.handle, SOURCES[1]).replayed
    assert turned == [404, 200]


def test_what_a_thread_cannot_hold_is_an_error_and_nothing_else_is_tried(server: ClaudeServer) -> None:
    server.error_code = "thread_unsupported_request"
    history = ours(server)
    with pytest.raises(InvalidRequest, match="thread_unsupported_request"):
        end_of(history, history.create("Be brief."), SOURCES[0])
    assert len(server.bodies) == 1
    with pytest.raises(anthropic.BadRequestError):
        helper(server, unsupported_request_behavior="error").send({"role": "user", "content": SOURCES[0]})


def test_after_a_reply_by_another_model_everything_is_sent_again(server: ClaudeServer) -> None:
    history = ours(server)
    server.fallback = True
    first = end_of(history, history.create("Be brief."), SOURCES[0])
    second = end_of(history, first.handle, SOURCES[1])
    assert second.replayed
    assert [body["thread"]["type"] for body in server.bodies] == ["create", "create"]


def test_a_reply_that_breaks_off_is_not_kept(server: ClaudeServer) -> None:
    history = ours(server)
    server.breaks_off = True
    with pytest.raises(ProviderUnavailable, match="in the middle"):
        end_of(history, history.create("Be brief."), SOURCES[0])


def test_a_reply_cut_short_is_incomplete_and_kept(server: ClaudeServer) -> None:
    history = ours(server)
    server.stop_reason = "max_tokens"
    turn = end_of(history, history.create("Be brief."), SOURCES[0])
    assert (turn.status, turn.reason) == ("incomplete", "max_tokens")
    assert turn.handle.last("message")


def test_usage_includes_what_was_cached(server: ClaudeServer) -> None:
    history = ours(server)
    turn = end_of(history, history.create("Be brief."), SOURCES[0])
    assert (turn.usage.input_tokens, turn.usage.cached_tokens) == (14, 2)
    assert history.count(history.create("Be brief."), SOURCES[0]) == 14


def test_an_overflow_keeps_the_thread(server: ClaudeServer) -> None:
    history = ours(server)
    first = end_of(history, history.create("Be brief."), SOURCES[0])
    with pytest.raises(ContextOverflow) as caught:
        end_of(history, first.handle, "word " * 4000)
    assert caught.value.limit == 3000
    assert not end_of(history, first.handle, SOURCES[1]).replayed


def test_a_deletion_is_not_claimed(server: ClaudeServer) -> None:
    history = ours(server)
    deletion = history.delete(end_of(history, history.create(""), SOURCES[0]).handle)
    assert not deletion.proven
    assert "no call that deletes" in deletion.words
    assert len(server.bodies) == 1
