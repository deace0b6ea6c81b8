"""One contract for every adapter, against every server it is claimed to work with.

Servers nobody here wrote skip where they are not installed. What they do other than they should is named in
tests/support/history_servers.py, and expected here: a deviation that goes away fails too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import ContextOverflow, ConversationGone, InvalidRequest, ProviderUnavailable
from lib.messages import Message, assistant, system, user
from lib.providers import TextDelta
from lib.server_history import Handle, ServerTurn
from lib.server_history.retention_check import check
from tests.support.history_servers import SERVERS, Served, Unthreaded
from tests.support.replica_models import Behind

PROMPT = "Be brief."
SOURCES = [f"Tell me thing number {turn}." for turn in range(1, 7)]  # all as long
TOO_LONG = "hello " * 4500


@dataclass
class Talk:
    """Six turns with one server, and what we count for each of them."""

    served: Served
    turns: list[ServerTurn]
    streamed: list[str]
    transcript: list[Message]
    expected: list[int]
    alone: list[int]
    counted: list[int | None]

    @property
    def handle(self) -> Handle:
        return self.turns[-1].handle

    @property
    def seen(self) -> list[int | None]:
        return [turn.usage.input_tokens for turn in self.turns]


def started(kind: type[Served], folder: Path, behind: Behind) -> Iterator[Served]:
    with kind.start(folder, behind) as address:
        yield kind(address, behind)


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, id=kind.name, marks=[pytest.mark.peers] if kind.peer else []) for kind in SERVERS],
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, behind: Behind
) -> Iterator[Served]:
    yield from started(request.param, tmp_path_factory.mktemp("server"), behind)


@pytest.fixture(scope="module")
def talk(served: Served) -> Talk:
    return talked(served, SOURCES)


def talked(served: Served, said: list[str]) -> Talk:
    history, handle = served.history(), served.create(PROMPT)
    talk = Talk(served, [], [], [system(PROMPT)], [], [], [])
    for text in said:
        handle = Handle.from_dict(json.loads(json.dumps(handle.to_dict())))  # as it comes back from a store
        talk.expected.append(served.tokens([*talk.transcript, user(text)]))
        talk.alone.append(served.tokens([system(PROMPT), user(text)]))
        talk.counted.append(history.count(handle, text))
        *deltas, turn = history.send(handle, text)
        assert isinstance(turn, ServerTurn)
        assert all(isinstance(delta, TextDelta) for delta in deltas)
        talk.turns.append(turn)
        talk.streamed.append("".join(delta.text for delta in deltas if isinstance(delta, TextDelta)))
        talk.transcript += [user(text), assistant(turn.reply)]
        handle = turn.handle
    return talk


def end_of(served: Served, handle: Handle, text: str) -> ServerTurn:
    *_, turn = served.history().send(handle, text)
    assert isinstance(turn, ServerTurn)
    return turn


def test_every_turn_is_complete_and_what_streamed_is_the_reply(talk: Talk) -> None:
    assert all(turn.status in ("complete", "incomplete") and turn.reply for turn in talk.turns)
    assert [turn.reply for turn in talk.turns] == talk.streamed
    assert all(turn.first_token_ms and turn.first_token_ms <= turn.duration_ms for turn in talk.turns)


def test_a_server_that_keeps_the_history_is_sent_what_is_new_and_nothing_else(talk: Talk) -> None:
    up = [turn.bytes_up for turn in talk.turns]
    if talk.served.flat_upload:
        assert max(up[1:]) - min(up[1:]) <= 2, up
    else:
        assert up == sorted(set(up)), up


def test_tokens_grow_all_the_same(talk: Talk) -> None:
    if not talk.served.reports_usage:
        assert talk.seen == [None] * len(SOURCES)  # never 0
        assert "not report" in talk.turns[-1].notes[-1]
        return
    seen = [tokens for tokens in talk.seen if tokens is not None]
    assert seen == sorted(set(seen))
    assert seen == talk.expected  # every server here counts with the same tokenizer as we do


def test_the_check_says_that_the_history_was_held(talk: Talk) -> None:
    assert check(talk.seen, talk.expected, None, talk.alone).word == talk.served.held
    if not talk.served.reports_usage:  # what reached the model behind it shows what it does not say
        read = talk.served.behind.read[-len(SOURCES) :]
        words = [check(read[:n], talk.expected[:n], None, talk.alone[:n]).word for n in range(2, len(SOURCES) + 1)]
        assert words == ["held", "held", "held", *[talk.served.truly] * 2]  # the fifth turn has nine messages


def test_every_request_of_a_turn_is_in_its_ledger(talk: Talk) -> None:
    for turn in talk.turns:
        assert all(wire.ms >= 0 and wire.status == 200 and wire.path.startswith("/") for wire in turn.wires)
        if talk.served.approach == "assistants":  # message, run; without a stream also at least one poll, list
            methods = [wire.method for wire in turn.wires]
            assert methods[:2] == ["POST", "POST"]
            assert len(methods) == 2 if talk.served.settings.stream else len(methods) >= 4
        else:
            assert len(turn.wires) == 1


def test_a_count_beforehand_is_what_the_turn_then_costs(talk: Talk) -> None:
    if talk.served.counts:
        assert talk.counted == talk.seen
    else:
        assert talk.counted == [None] * len(SOURCES)


def test_an_export_is_what_was_said(talk: Talk) -> None:
    if talk.served.exports:
        assert talk.served.history().export(talk.handle) == talk.transcript
    else:
        with pytest.raises(ConversationGone):
            talk.served.history().export(talk.handle)


def test_ids_nobody_gave_out_are_refused_or_everything_is_sent_again_visibly(talk: Talk) -> None:
    wrong = talk.served.wrong(talk.handle)
    if talk.served.unknown_id == "raises":
        with pytest.raises((ConversationGone, InvalidRequest)):
            end_of(talk.served, wrong, "And now?")
        return
    turn = end_of(talk.served, wrong, "And now?")
    if talk.served.unknown_id == "starts afresh":  # accepted with 200, and only the tokens tell
        alone = talk.served.tokens([system(PROMPT), user("And now?")])
        assert turn.usage.input_tokens == alone
        words = check([*talk.seen, alone], [*talk.expected, talk.expected[-1] + 34], None, [*talk.alone, alone]).word
        assert words == "lost"
        return
    assert turn.replayed == (talk.served.approach == "claude")
    assert turn.bytes_up > talk.turns[-1].bytes_up


def test_too_long_a_message_is_an_overflow_and_spoils_nothing(served: Served) -> None:
    first = end_of(served, served.create(PROMPT), SOURCES[0])
    if served.overflow == "raises":
        with pytest.raises(ContextOverflow) as caught:
            end_of(served, first.handle, TOO_LONG)
        assert caught.value.limit
        handle = first.handle
    else:
        failed = end_of(served, first.handle, TOO_LONG)
        assert failed.status == "failed"
        assert "exceeds the available context size" in (failed.reason or "")
        handle = failed.handle
    if served.failed_turn_stays:
        assert end_of(served, handle, SOURCES[1]).status == "failed"
    elif served.approach == "assistants":
        assert TOO_LONG in [message.text for message in served.history().export(handle)]  # it stays in the thread
    else:
        assert end_of(served, handle, SOURCES[1]).status in ("complete", "incomplete")


def test_a_deletion_comes_with_its_proof_and_is_final(served: Served) -> None:
    turn = end_of(served, served.create(PROMPT), SOURCES[0])
    turn = end_of(served, turn.handle, SOURCES[1])
    deletion = served.history().delete(turn.handle)
    assert deletion.proven == served.proves_deletion
    assert deletion.words
    if served.proves_deletion:
        assert {gone.reread for gone in deletion.things} == {404}
        assert len(deletion.things) == len(turn.handle.ids)
    if served.after_deletion == "raises":
        with pytest.raises(ConversationGone):
            end_of(served, turn.handle, SOURCES[2])
        with pytest.raises(ConversationGone):
            served.history().export(turn.handle)
    elif served.after_deletion == "starts afresh":
        after = end_of(served, turn.handle, SOURCES[2])  # accepted with 200, and only the tokens tell
        alone = served.tokens([system(PROMPT), user(SOURCES[2])])
        assert after.usage.input_tokens == alone


def test_a_run_that_was_asked_for_more_than_the_server_does_says_so(served: Served) -> None:
    if served.approach != "assistants":
        pytest.skip("runs are the Assistants protocol's")
    history = served.history(replace(served.settings, stream=True, last_messages=2, max_prompt_tokens=2000))
    *_, turn = history.send(history.create(PROMPT), SOURCES[0])
    assert isinstance(turn, ServerTurn)
    assert turn.reply
    assert any("did not; the run was polled" in note for note in turn.notes) != served.streams_runs
    assert any("did not confirm max_prompt_tokens 2000" in note for note in turn.notes) != served.confirms_limits


def test_text_that_utf8_cannot_carry_does_not_stop_a_turn(served: Served) -> None:
    turn = end_of(served, served.create(PROMPT), "A cut emoji \ud83d, a whole one 😀, ü.")
    assert turn.reply


def test_the_key_is_in_nothing_that_is_kept(talk: Talk) -> None:
    key = talk.served.address.key
    if key and len(key) > 8:
        assert key not in json.dumps(talk.handle.to_dict())
        assert key not in repr(talk.turns)
        assert key not in repr(talk.served.endpoint)


def test_a_server_that_ignores_threads_is_found_out(tmp_path: Path, behind: Behind) -> None:
    for served in started(Unthreaded, tmp_path, behind):
        talk = talked(served, [f"{text} It matters to me a great deal, as you may imagine." for text in SOURCES])
        assert check(talk.seen, talk.expected, None, talk.alone).word == "lost"
        assert not any(turn.replayed for turn in talk.turns)  # it claims to have it


def test_every_deviation_is_a_sentence() -> None:
    deviating: dict[str, Any] = {kind.name: kind.deviations for kind in SERVERS if kind.deviations}
    assert set(deviating) == {"agentserver, chain", "agentserver, conversation", "myla"}


def test_failures_are_ours(served: Served) -> None:
    handle = served.create(PROMPT)
    unreachable = type(served)(type(served.address)("http://127.0.0.1:9", served.address.key), served.behind)
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        end_of(unreachable, handle, "Hello")
