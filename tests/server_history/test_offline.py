"""LocalReplica: every approach on this machine, with the embedded model behind all of them."""

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

KEPT_BY_REPLICA: list[Approach] = ["conversations", "responses", "assistants", "claude"]
SETTINGS = ThreadSettings(max_output_tokens=256, deadline_seconds=60)
QUESTION = "What is the capital of France? Answer in one word."


@pytest.fixture
def local_replica(model: LocalModel) -> Iterator[LocalReplica]:
    replica = LocalReplica.on(model)
    yield replica
    replica.close()


def send(replica: LocalReplica, approach: Approach, handle: Handle, text: str) -> ServerTurn:
    *deltas, turn = replica.history(approach, SETTINGS).send(handle, text)
    assert isinstance(turn, ServerTurn)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == turn.reply
    return turn


def test_nothing_starts_before_its_first_use(tmp_path: Path) -> None:
    model = LocalModel(tmp_path / "no such file")
    replica = LocalReplica.on(model)
    assert not replica.running
    assert replica.contents() == {}
    assert replica.expire("conv_1") is False
    replica.history("manual")
    assert not replica.running
    assert model.pid is None
    replica.close()  # also works if it never ran


@pytest.mark.model
@pytest.mark.parametrize("approach", get_args(Approach))
def test_every_approach_works_without_a_key(local_replica: LocalReplica, approach: Approach) -> None:
    history = local_replica.history(approach, SETTINGS)
    first = send(local_replica, approach, history.create("Be brief."), QUESTION)
    second = send(local_replica, approach, first.handle, "And of Spain?")
    assert (second.usage.input_tokens or 0) > (first.usage.input_tokens or 0) > 0
    assert second.bytes_up > 0
    assert first.first_token_ms is not None
    assert history.export(second.handle) == [
        system("Be brief."),
        user(QUESTION),
        assistant(first.reply),
        user("And of Spain?"),
        assistant(second.reply),
    ]
    assert local_replica.running == (approach != "manual")


@pytest.mark.model
def test_the_same_conversation_costs_the_same_tokens_in_every_approach(local_replica: LocalReplica) -> None:
    counts = {}
    for approach in get_args(Approach):
        history = local_replica.history(approach, SETTINGS)
        turn = send(local_replica, approach, history.create("Be brief."), QUESTION)
        counts[approach] = (turn.reply, turn.usage.input_tokens, turn.usage.output_tokens)
    assert len(set(counts.values())) == 1, counts


@pytest.mark.model
def test_its_endpoints_are_labelled_and_hide_their_key(local_replica: LocalReplica) -> None:
    for approach in KEPT_BY_REPLICA:
        endpoint = local_replica.endpoint(approach)
        assert endpoint.label == local_replica.label == "Replica on this machine, not OpenAI"
        assert endpoint.key
        assert endpoint.key not in repr(endpoint) + repr(local_replica)
        assert (endpoint.base_url or "").startswith("http://127.0.0.1:")
    unknown = Handle("responses", "any", "", (("response", "resp_nobody"),))
    with pytest.raises(ConversationGone, match="Replica on this machine, not OpenAI"):
        send(local_replica, "responses", unknown, "And now?")


@pytest.mark.model
def test_it_lists_its_contents_and_forgets_on_demand(local_replica: LocalReplica) -> None:
    handle = local_replica.history("conversations").create("")
    turn = send(local_replica, "conversations", handle, QUESTION)
    contents = local_replica.contents()
    assert contents["label"].lower() == local_replica.label.lower()
    assert [message["text"] for message in contents["conversations"][0]["messages"]] == [QUESTION, turn.reply]
    id_ = handle.last("conversation") or ""
    assert local_replica.expire(id_) is True
    assert local_replica.expire(id_) is False
    with pytest.raises(ConversationGone):
        send(local_replica, "conversations", handle, "And now?")


@pytest.mark.model
def test_conversations_survive_a_restart_in_the_same_process_only(
    local_replica: LocalReplica, model: LocalModel
) -> None:
    turn = send(local_replica, "conversations", local_replica.history("conversations").create(""), QUESTION)
    history_before = local_replica.history("conversations")
    local_replica.close()
    assert not local_replica.running
    with pytest.raises(ProviderUnavailable):
        list(history_before.send(turn.handle, "And now?"))
    stored = Handle.from_dict(json.loads(json.dumps(turn.handle.to_dict())))
    assert send(local_replica, "conversations", stored, "And of Spain?").reply
    another = LocalReplica.on(model)  # holds nothing, as in another process
    with pytest.raises(ConversationGone):
        send(another, "conversations", stored, "And now?")
    another.close()


@pytest.mark.model
def test_many_threads_start_one_replica(local_replica: LocalReplica) -> None:
    with ThreadPoolExecutor(8) as pool:
        urls = set(pool.map(lambda _: local_replica.endpoint("conversations").base_url, range(16)))
    assert len(urls) == 1
