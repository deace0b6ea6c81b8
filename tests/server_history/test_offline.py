"""Every approach on this machine, with the embedded model itself behind all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest

from lib.errors import ConversationGone, ProviderUnavailable
from lib.messages import assistant, system, user
from lib.providers import TextDelta
from lib.providers.llama.process import LocalModel
from lib.server_history import Approach, Handle, ServerTurn, ThreadSettings
from lib.server_history.offline import LocalReplica

KEPT: list[Approach] = ["conversations", "responses", "assistants", "claude"]
SETTINGS = ThreadSettings(max_output_tokens=256, deadline_seconds=60)
ASKED = "What is the capital of France? Answer in one word."


@pytest.fixture
def keyless(model: LocalModel) -> Iterator[LocalReplica]:
    made = LocalReplica.on(model)
    yield made
    made.close()


def turn_of(keyless: LocalReplica, approach: Approach, handle: Handle, text: str) -> ServerTurn:
    *deltas, turn = keyless.history(approach, SETTINGS).send(handle, text)
    assert isinstance(turn, ServerTurn)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == turn.reply
    return turn


def test_nothing_runs_before_its_first_use(tmp_path: Path) -> None:
    model = LocalModel(tmp_path / "no such file")
    keyless = LocalReplica.on(model)
    assert not keyless.running
    assert keyless.contents() == {}
    assert keyless.expire("conv_1") is False
    keyless.history("manual")
    assert not keyless.running
    assert model.pid is None
    keyless.close()  # what never ran can be closed


@pytest.mark.model
@pytest.mark.parametrize("approach", get_args(Approach))
def test_a_turn_without_a_key(keyless: LocalReplica, approach: Approach) -> None:
    history = keyless.history(approach, SETTINGS)
    first = turn_of(keyless, approach, history.create("Be brief."), ASKED)
    second = turn_of(keyless, approach, first.handle, "And of Spain?")
    assert (second.usage.input_tokens or 0) > (first.usage.input_tokens or 0) > 0
    assert second.bytes_up > 0
    assert first.first_token_ms is not None
    said = [system("Be brief."), user(ASKED), assistant(first.reply), user("And of Spain?"), assistant(second.reply)]
    assert history.export(second.handle) == said
    assert keyless.running == (approach != "manual")


@pytest.mark.model
def test_the_same_conversation_costs_the_same_tokens_however_it_is_kept(keyless: LocalReplica) -> None:
    counts = {}
    for approach in get_args(Approach):
        history = keyless.history(approach, SETTINGS)
        turn = turn_of(keyless, approach, history.create("Be brief."), ASKED)
        counts[approach] = (turn.reply, turn.usage.input_tokens, turn.usage.output_tokens)
    assert len(set(counts.values())) == 1, counts


@pytest.mark.model
def test_what_it_gives_out_is_labelled_and_hides_its_key(keyless: LocalReplica) -> None:
    for approach in KEPT:
        endpoint = keyless.endpoint(approach)
        assert endpoint.label == keyless.label == "Replica on this machine, not OpenAI"
        assert endpoint.key
        assert endpoint.key not in repr(endpoint) + repr(keyless)
        assert (endpoint.base_url or "").startswith("http://127.0.0.1:")
    with pytest.raises(ConversationGone, match="Replica on this machine, not OpenAI"):
        turn_of(keyless, "responses", Handle("responses", "any", "", (("response", "resp_nobody"),)), "And now?")


@pytest.mark.model
def test_contents_and_forgetting(keyless: LocalReplica) -> None:
    handle = keyless.history("conversations").create("")
    turn = turn_of(keyless, "conversations", handle, ASKED)
    held = keyless.contents()
    assert held["label"].lower() == keyless.label.lower()
    assert [message["text"] for message in held["conversations"][0]["messages"]] == [ASKED, turn.reply]
    id_ = handle.last("conversation") or ""
    assert keyless.expire(id_) is True
    assert keyless.expire(id_) is False
    with pytest.raises(ConversationGone):
        turn_of(keyless, "conversations", handle, "And now?")


@pytest.mark.model
def test_a_restart_in_the_same_process_keeps_what_was_held_and_another_process_does_not(
    keyless: LocalReplica, model: LocalModel
) -> None:
    turn = turn_of(keyless, "conversations", keyless.history("conversations").create(""), ASKED)
    before = keyless.history("conversations")
    keyless.close()
    assert not keyless.running
    with pytest.raises(ProviderUnavailable):
        list(before.send(turn.handle, "And now?"))
    stored = Handle.from_dict(json.loads(json.dumps(turn.handle.to_dict())))
    assert turn_of(keyless, "conversations", stored, "And of Spain?").reply
    another = LocalReplica.on(model)
    with pytest.raises(ConversationGone):
        turn_of(another, "conversations", stored, "And now?")
    another.close()


@pytest.mark.model
def test_many_threads_start_one_replica(keyless: LocalReplica) -> None:
    with ThreadPoolExecutor(8) as pool:
        urls = set(pool.map(lambda _: keyless.endpoint("conversations").base_url, range(16)))
    assert len(urls) == 1
