"""One contract for every adapter, on every server that it is said to work with.

Third-party servers are skipped if they are not installed. Their deviations are named in
tests/support/server_history/history_servers.py and expected here: a deviation that goes away fails too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import ContextOverflow, ConversationGone, InvalidRequest, ProviderUnavailable
from lib.messages import Message, assistant, system, user
from lib.providers import TextDelta
from lib.server_history import Handle, ServerTurn
from lib.server_history.retention_check import check
from tests.support.server_history.history_servers import SERVERS, ClaudeWithoutThreads, ServerUnderTest
from tests.support.server_history.replica_models import RecordingModel
from tests.support.server_history.server_turns import last_turn
from tests.support.servers.peer_servers import Address

SYSTEM_PROMPT = "Be brief."
PROMPTS = [f"Tell me thing number {turn}." for turn in range(1, 7)]  # all of the same length
TOO_LONG = "hello " * 4500


@dataclass
class Chat:
    """Turns with one server, and our own counts for each of them."""

    server: ServerUnderTest
    turns: list[ServerTurn] = field(default_factory=list)
    streamed: list[str] = field(default_factory=list)
    transcript: list[Message] = field(default_factory=lambda: [system(SYSTEM_PROMPT)])
    expected: list[int] = field(default_factory=list)
    newest_only: list[int] = field(default_factory=list)
    counted_by_server: list[int | None] = field(default_factory=list)

    @property
    def handle(self) -> Handle:
        return self.turns[-1].handle

    @property
    def reported(self) -> list[int | None]:
        return [turn.usage.input_tokens for turn in self.turns]


def started(kind: type[ServerUnderTest], folder: Path, model: RecordingModel) -> Iterator[ServerUnderTest]:
    with kind.start(folder, model) as address:
        yield kind(address, model)


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, id=kind.name, marks=[pytest.mark.peers] if kind.is_peer else []) for kind in SERVERS],
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, recording_model: RecordingModel
) -> Iterator[ServerUnderTest]:
    yield from started(request.param, tmp_path_factory.mktemp("server"), recording_model)


@pytest.fixture(scope="module")
def chat(server: ServerUnderTest) -> Chat:
    return chat_with(server, PROMPTS)


def chat_with(server: ServerUnderTest, prompts: list[str]) -> Chat:
    history, handle, chat = server.history(), server.create(SYSTEM_PROMPT), Chat(server)
    for text in prompts:
        handle = Handle.from_dict(json.loads(json.dumps(handle.to_dict())))  # as it comes back from a store
        chat.expected.append(server.tokens([*chat.transcript, user(text)]))
        chat.newest_only.append(server.tokens([system(SYSTEM_PROMPT), user(text)]))
        chat.counted_by_server.append(history.count(handle, text))
        *deltas, turn = history.send(handle, text)
        assert isinstance(turn, ServerTurn)
        assert all(isinstance(delta, TextDelta) for delta in deltas)
        chat.turns.append(turn)
        chat.streamed.append("".join(delta.text for delta in deltas if isinstance(delta, TextDelta)))
        chat.transcript += [user(text), assistant(turn.reply)]
        handle = turn.handle
    return chat


def send(server: ServerUnderTest, handle: Handle, text: str) -> ServerTurn:
    return last_turn(server.history(), handle, text)


def test_every_turn_ends_with_the_reply_that_streamed(chat: Chat) -> None:
    assert all(turn.status in ("complete", "incomplete") and turn.reply for turn in chat.turns)
    assert [turn.reply for turn in chat.turns] == chat.streamed
    assert all(turn.first_token_ms and turn.first_token_ms <= turn.duration_ms for turn in chat.turns)


def test_a_server_that_keeps_the_history_is_sent_the_new_message_only(chat: Chat) -> None:
    bytes_up = [turn.bytes_up for turn in chat.turns]
    if chat.server.upload_is_constant:
        assert max(bytes_up[1:]) - min(bytes_up[1:]) <= 2, bytes_up
    else:
        assert bytes_up == sorted(set(bytes_up)), bytes_up


def test_input_tokens_grow_in_every_approach(chat: Chat) -> None:
    if not chat.server.reports_usage:
        assert chat.reported == [None] * len(PROMPTS)  # never 0
        assert "not report" in chat.turns[-1].notes[-1]
        return
    reported = [tokens for tokens in chat.reported if tokens is not None]
    assert reported == sorted(set(reported))
    assert reported == chat.expected  # every server here has the tokenizer we count with


def test_the_retention_check_says_that_the_history_was_held(chat: Chat) -> None:
    assert check(chat.reported, chat.expected, None, chat.newest_only).word == chat.server.verdict
    if not chat.server.reports_usage:  # then the tokens its model read show what it does not report
        read = chat.server.model.tokens_read[-len(PROMPTS) :]
        words = [
            check(read[:n], chat.expected[:n], None, chat.newest_only[:n]).word for n in range(2, len(PROMPTS) + 1)
        ]
        assert words == ["held", "held", "held", *[chat.server.true_verdict] * 2]  # the fifth turn has nine messages


def test_every_request_of_a_turn_is_recorded(chat: Chat) -> None:
    for turn in chat.turns:
        assert all(wire.ms >= 0 and wire.status == 200 and wire.path.startswith("/") for wire in turn.wires)
        if chat.server.approach == "assistants":  # message, run; without a stream also at least one poll, and the list
            methods = [wire.method for wire in turn.wires]
            assert methods[:2] == ["POST", "POST"]
            assert len(methods) == 2 if chat.server.settings.stream else len(methods) >= 4
        else:
            assert len(turn.wires) == 1


def test_a_count_in_advance_is_what_the_turn_costs(chat: Chat) -> None:
    if chat.server.counts:
        assert chat.counted_by_server == chat.reported
    else:
        assert chat.counted_by_server == [None] * len(PROMPTS)


def test_an_export_is_the_conversation(chat: Chat) -> None:
    if chat.server.exports:
        assert chat.server.history().export(chat.handle) == chat.transcript
    else:
        with pytest.raises(ConversationGone):
            chat.server.history().export(chat.handle)


def test_unknown_ids_raise_or_the_whole_conversation_is_visibly_sent_again(chat: Chat) -> None:
    unknown = chat.server.with_unknown_ids(chat.handle)
    if chat.server.unknown_id == "raises":
        with pytest.raises((ConversationGone, InvalidRequest)):
            send(chat.server, unknown, "And now?")
        return
    turn = send(chat.server, unknown, "And now?")
    if chat.server.unknown_id == "starts afresh":  # answers with 200, and only the tokens tell
        newest_only = chat.server.tokens([system(SYSTEM_PROMPT), user("And now?")])
        assert turn.usage.input_tokens == newest_only
        verdict = check(
            [*chat.reported, newest_only],
            [*chat.expected, chat.expected[-1] + 34],
            None,
            [*chat.newest_only, newest_only],
        )
        assert verdict.word == "lost"
        return
    assert turn.replayed == (chat.server.approach == "claude")
    assert turn.bytes_up > chat.turns[-1].bytes_up


def test_a_message_that_is_too_long_is_an_overflow_and_does_no_harm(server: ServerUnderTest) -> None:
    first = send(server, server.create(SYSTEM_PROMPT), PROMPTS[0])
    if server.overflow == "raises":
        with pytest.raises(ContextOverflow) as caught:
            send(server, first.handle, TOO_LONG)
        assert caught.value.limit
        handle = first.handle
    else:
        failed = send(server, first.handle, TOO_LONG)
        assert failed.status == "failed"
        assert "exceeds the available context size" in (failed.reason or "")
        handle = failed.handle
    if server.failed_turn_stays:
        assert send(server, handle, PROMPTS[1]).status == "failed"
    elif server.approach == "assistants":
        assert TOO_LONG in [message.text for message in server.history().export(handle)]  # it stays in the thread
    else:
        assert send(server, handle, PROMPTS[1]).status in ("complete", "incomplete")


def test_a_deletion_is_proven_and_final(server: ServerUnderTest) -> None:
    turn = send(server, server.create(SYSTEM_PROMPT), PROMPTS[0])
    turn = send(server, turn.handle, PROMPTS[1])
    deletion = server.history().delete(turn.handle)
    assert deletion.proven == server.proves_deletion
    assert deletion.sentence
    if server.proves_deletion:
        assert {item.read_status for item in deletion.items} == {404}
        assert len(deletion.items) == len(turn.handle.ids)
    if server.after_deletion == "raises":
        with pytest.raises(ConversationGone):
            send(server, turn.handle, PROMPTS[2])
        with pytest.raises(ConversationGone):
            server.history().export(turn.handle)
    elif server.after_deletion == "starts afresh":
        after = send(server, turn.handle, PROMPTS[2])  # answers with 200, and only the tokens tell
        newest_only = server.tokens([system(SYSTEM_PROMPT), user(PROMPTS[2])])
        assert after.usage.input_tokens == newest_only


def test_a_run_notes_the_settings_that_the_server_ignores(server: ServerUnderTest) -> None:
    if server.approach != "assistants":
        pytest.skip("only the Assistants protocol has runs")
    history = server.history(replace(server.settings, stream=True, last_messages=2, max_prompt_tokens=2000))
    turn = last_turn(history, history.create(SYSTEM_PROMPT), PROMPTS[0])
    assert turn.reply
    assert any("did not; the run was polled" in note for note in turn.notes) != server.streams_runs
    assert any("did not confirm max_prompt_tokens 2000" in note for note in turn.notes) != server.confirms_limits


def test_text_that_utf8_cannot_encode_does_not_stop_a_turn(server: ServerUnderTest) -> None:
    turn = send(server, server.create(SYSTEM_PROMPT), "A cut emoji \ud83d, a whole one 😀, ü.")
    assert turn.reply


def test_the_key_is_in_nothing_that_is_stored(chat: Chat) -> None:
    key = chat.server.address.key
    if key and len(key) > 8:
        assert key not in json.dumps(chat.handle.to_dict())
        assert key not in repr(chat.turns)
        assert key not in repr(chat.server.endpoint)


def test_a_server_that_ignores_threads_is_detected(tmp_path: Path, recording_model: RecordingModel) -> None:
    for server in started(ClaudeWithoutThreads, tmp_path, recording_model):
        longer = [f"{text} It matters to me a great deal, as you may imagine." for text in PROMPTS]
        chat = chat_with(server, longer)
        assert check(chat.reported, chat.expected, None, chat.newest_only).word == "lost"
        assert not any(turn.replayed for turn in chat.turns)  # the server says that it has the thread


def test_only_known_servers_deviate() -> None:
    deviating: dict[str, Any] = {kind.name: kind.deviations for kind in SERVERS if kind.deviations}
    assert set(deviating) == {"agentserver, chain", "agentserver, conversation", "myla"}


def test_a_server_that_cannot_be_reached_raises_our_own_error(server: ServerUnderTest) -> None:
    handle = server.create(SYSTEM_PROMPT)
    unreachable = type(server)(Address("http://127.0.0.1:9", server.address.key), server.model)
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        send(unreachable, handle, "Hello")
