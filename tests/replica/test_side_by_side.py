"""Every approach on the replica beside the control: the same conversation, the same tokens, another upload. A scripted model
that counts words answers behind all of them, so that sizes are known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_args

import httpx2
import pytest

from lib.errors import ContextOverflow, ConversationGone
from lib.providers.anthropic import AnthropicProvider
from lib.providers.openai import OpenAIProvider, shared_client
from lib.replica.http_values import LABEL, LABEL_HEADER
from lib.server_history import Approach, Handle, ServerHistory, ServerTurn, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.server_history.retention_check import check
from lib.settings import Endpoint
from tests.support.replica_rig import WINDOW, Rig
from tests.support.word_model import KEY

PROMPT = "Be brief and kind."
SOURCES = [f"please tell me thing number {turn} of the six things that you know" for turn in range(1, 7)]
KEPT: list[Approach] = ["conversations", "responses", "assistants", "claude"]
SETTINGS = ThreadSettings(max_output_tokens=256, deadline_seconds=30)


def history(rig: Rig, approach: Approach) -> ServerHistory:
    """The adapter: the control speaks to the model itself, every other one to the replica."""
    if approach == "manual":
        endpoint, key = Endpoint("it", "openai", "It", base_url=rig.words.url, model="words-1"), KEY
    elif approach == "claude":
        endpoint, key = Endpoint("it", "anthropic", LABEL, base_url=rig.replica.url, model="any"), rig.replica.key
    else:
        endpoint, key = Endpoint("it", "openai", LABEL, base_url=f"{rig.replica.url}/v1", model="any"), rig.replica.key
    adapter = AnthropicProvider if endpoint.kind == "anthropic" else OpenAIProvider
    return open_server_history(approach, endpoint, key, adapter(endpoint, key), SETTINGS)


def turns(rig: Rig, approach: Approach, said: list[str]) -> list[ServerTurn]:
    found, history_ = [], history(rig, approach)
    handle = history_.create(PROMPT)
    for text in said:
        *_, turn = history_.send(handle, text)
        assert isinstance(turn, ServerTurn)
        found.append(turn)
        handle = turn.handle
    return found


@dataclass
class Heard:
    """Every answer that came from this machine."""

    answers: list[httpx2.Response]

    def of(self, url: str) -> list[httpx2.Response]:
        return [answer for answer in self.answers if str(answer.request.url).startswith(url)]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    found = Heard([])
    client = shared_client("http://127.0.0.1")
    before: Any = client.event_hooks
    client.event_hooks = {"request": [], "response": [found.answers.append]}
    yield found
    client.event_hooks = before


def test_six_turns_read_the_same_tokens_however_they_are_kept_and_upload_what_is_new_alone(rig: Rig) -> None:
    made = {approach: turns(rig, approach, SOURCES) for approach in get_args(Approach)}
    assert set(made) == {"manual", *KEPT}
    read = {approach: [turn.usage.input_tokens for turn in six] for approach, six in made.items()}
    prompt, question, reply = 4 + 2, 13 + 2, 2 + 2  # words, and two more for each message
    assert read["manual"] == [prompt + question + turn * (question + reply) for turn in range(6)]
    for approach in KEPT:
        assert read[approach] == read["manual"], approach
        up = [turn.bytes_up for turn in made[approach]]
        assert max(up[1:]) - min(up[1:]) <= 2, (approach, up)
    up = [turn.bytes_up for turn in made["manual"]]
    assert all(later - earlier > 60 for earlier, later in pairwise(up)), up
    sent = rig.words.transcripts
    assert [sent[first : first + 6] for first in range(0, 30, 6)] == [sent[:6]] * 5  # the model was sent the same


@pytest.mark.parametrize("approach", KEPT)
def test_the_check_says_held(rig: Rig, approach: Approach) -> None:
    made = turns(rig, approach, SOURCES)
    control = [turn.usage.input_tokens or 0 for turn in turns(rig, "manual", SOURCES)]
    alone = [control[0]] * len(SOURCES)
    assert check([turn.usage.input_tokens for turn in made], control, None, alone).word == "held"


@pytest.mark.parametrize("approach", KEPT)
def test_usage_that_the_models_server_did_not_report_is_not_reported_here_either(rig: Rig, approach: Approach) -> None:
    rig.words.usage = False
    turn = turns(rig, approach, SOURCES[:2])[-1]
    assert turn.reply == "fine thanks"
    assert {turn.usage.input_tokens, turn.usage.cached_tokens, turn.usage.output_tokens} == {None}
    assert "not report" in turn.notes[-1]


@pytest.mark.parametrize("approach", ["conversations", "responses", "claude"])
def test_cached_tokens_that_were_not_reported_are_none_and_the_rest_is_said(rig: Rig, approach: Approach) -> None:
    rig.words.cached = None
    usage = turns(rig, approach, SOURCES[:1])[-1].usage
    assert usage.cached_tokens is None
    assert usage.input_tokens
    assert usage.output_tokens == 2


@pytest.mark.parametrize("approach", KEPT)
def test_every_answer_says_that_it_is_a_replica(rig: Rig, heard: Heard, approach: Approach) -> None:
    held = history(rig, approach)
    handle = turns(rig, approach, SOURCES[:2])[-1].handle
    held.count(handle, "and now?")
    held.export(handle)
    held.delete(handle)
    answers = heard.of(rig.replica.url)
    assert len(answers) >= 3
    assert {answer.headers[LABEL_HEADER] for answer in answers} == {"replica on this machine, not OpenAI"}
    if approach != "claude":
        assert {answer.status_code for answer in answers} == {200, 404}  # asked again after the deletion


def last_id(handle: Handle) -> str:
    return handle.ids[-1][1]


@pytest.mark.parametrize("approach", ["conversations", "responses", "assistants"])
def test_what_expired_on_the_server_is_gone(rig: Rig, approach: Approach) -> None:
    handle = turns(rig, approach, SOURCES[:2])[-1].handle
    assert rig.expire(last_id(handle)).json()["expired"] is True
    for asked in (
        lambda: list(history(rig, approach).send(handle, "and now?")),
        lambda: history(rig, approach).export(handle),
    ):
        with pytest.raises(ConversationGone):
            asked()


def test_a_chain_with_a_link_missing_in_its_middle_is_gone_and_not_shorter(rig: Rig) -> None:
    handle = turns(rig, "responses", SOURCES[:3])[-1].handle
    rig.expire(handle.all("response")[1])
    asked = len(rig.words.bodies)
    with pytest.raises(ConversationGone):
        list(history(rig, "responses").send(handle, "and now?"))
    assert len(rig.words.bodies) == asked


def test_a_claude_thread_that_expired_is_sent_again_and_says_so(rig: Rig) -> None:
    made = turns(rig, "claude", SOURCES[:3])
    rig.expire(last_id(made[-1].handle))
    *_, turn = history(rig, "claude").send(made[-1].handle, SOURCES[3])
    assert isinstance(turn, ServerTurn)
    assert (turn.replayed, len(turn.wires)) == (True, 2)
    assert turn.bytes_up > 2 * made[-1].bytes_up
    assert turn.usage.input_tokens == turns(rig, "manual", SOURCES[:4])[-1].usage.input_tokens


@pytest.mark.parametrize("approach", ["conversations", "responses", "claude"])
def test_an_overflow_says_how_much_too_much_it_is(rig: Rig, approach: Approach) -> None:
    handle = turns(rig, approach, SOURCES[:1])[-1].handle
    with pytest.raises(ContextOverflow) as caught:
        list(history(rig, approach).send(handle, "word " * WINDOW))
    assert caught.value.tokens == 6 + 15 + 4 + WINDOW + 2
    assert caught.value.limit == (WINDOW if approach == "claude" else WINDOW - 100)  # a quarter is kept for the reply
    assert LABEL in caught.value.what
    *_, turn = history(rig, approach).send(handle, SOURCES[1])
    assert isinstance(turn, ServerTurn)
    assert turn.usage.input_tokens == 6 + 15 + 4 + 15  # nothing of it stayed
