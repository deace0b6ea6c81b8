"""Every approach on the replica, compared with the manual one: the same tokens, but less upload.

The scripted model behind all of them counts words, so that sizes are known exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

import httpx2
import pytest

from lib.errors import ContextOverflow, ConversationGone
from lib.providers.anthropic import AnthropicProvider
from lib.providers.http_client import shared_client
from lib.providers.openai import OpenAIProvider
from lib.replica.http_values import LABEL, LABEL_HEADER
from lib.server_history import Approach, Handle, ServerHistory, ServerTurn, ThreadSettings
from lib.server_history.factory import open_server_history
from lib.server_history.retention_check import check
from lib.settings import Endpoint
from tests.support.server_history.connected_replica import WINDOW, ConnectedReplica
from tests.support.server_history.server_turns import last_turn
from tests.support.servers.word_model import KEY

SYSTEM_PROMPT = "Be brief and kind."
PROMPTS = [f"please tell me thing number {turn} of the six things that you know" for turn in range(1, 7)]
SYSTEM_TOKENS, PROMPT_TOKENS, REPLY_TOKENS = 4 + 2, 13 + 2, 2 + 2  # words, and two more for each message
KEPT_BY_REPLICA: list[Approach] = ["conversations", "responses", "assistants", "claude"]
SETTINGS = ThreadSettings(max_output_tokens=256, deadline_seconds=30)


def history_on(replica: ConnectedReplica, approach: Approach) -> ServerHistory:
    """The adapter: the manual one sends to the model directly, every other one to the replica."""
    key = KEY if approach == "manual" else replica.server.key
    if approach == "manual":
        endpoint = Endpoint("it", "openai", "It", base_url=replica.model.url, model="words-1")
    elif approach == "claude":
        endpoint = Endpoint("it", "anthropic", LABEL, base_url=replica.server.url, model="any")
    else:
        endpoint = Endpoint("it", "openai", LABEL, base_url=f"{replica.server.url}/v1", model="any")
    provider_class = AnthropicProvider if endpoint.kind == "anthropic" else OpenAIProvider
    return open_server_history(approach, endpoint, key, provider_class(endpoint, key), SETTINGS)


def turns_on(replica: ConnectedReplica, approach: Approach, prompts: list[str]) -> list[ServerTurn]:
    """A conversation with these prompts."""
    turns: list[ServerTurn] = []
    history = history_on(replica, approach)
    handle = history.create(SYSTEM_PROMPT)
    for text in prompts:
        turns.append(last_turn(history, handle, text))
        handle = turns[-1].handle
    return turns


def input_tokens(turns: list[ServerTurn]) -> list[int]:
    return [turn.usage.input_tokens or 0 for turn in turns]


def last_id(handle: Handle) -> str:
    return handle.ids[-1][1]


@pytest.fixture
def responses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[httpx2.Response]]:
    """Every HTTP response that comes from this machine."""
    received: list[httpx2.Response] = []
    client = shared_client("http://127.0.0.1")
    before: Any = client.event_hooks
    client.event_hooks = {"request": [], "response": [received.append]}
    yield received
    client.event_hooks = before


def test_six_turns_read_the_same_tokens_in_every_approach_and_upload_the_new_message_only(
    replica: ConnectedReplica,
) -> None:
    turns = {approach: turns_on(replica, approach, PROMPTS) for approach in get_args(Approach)}
    assert set(turns) == {"manual", *KEPT_BY_REPLICA}
    expected = [SYSTEM_TOKENS + PROMPT_TOKENS + turn * (PROMPT_TOKENS + REPLY_TOKENS) for turn in range(6)]
    assert {approach: input_tokens(turns[approach]) for approach in turns} == dict.fromkeys(turns, expected)
    for approach in KEPT_BY_REPLICA:
        bytes_up = [turn.bytes_up for turn in turns[approach]]
        assert max(bytes_up[1:]) - min(bytes_up[1:]) <= 2, (approach, bytes_up)
    bytes_up = [turn.bytes_up for turn in turns["manual"]]
    assert all(later - earlier > 60 for earlier, later in pairwise(bytes_up)), bytes_up
    transcripts = replica.model.transcripts
    assert [transcripts[first : first + 6] for first in range(0, 30, 6)] == [transcripts[:6]] * 5


@pytest.mark.parametrize("approach", KEPT_BY_REPLICA)
def test_the_retention_check_says_held(replica: ConnectedReplica, approach: Approach) -> None:
    reported = input_tokens(turns_on(replica, approach, PROMPTS))
    expected = input_tokens(turns_on(replica, "manual", PROMPTS))
    newest_only = [expected[0]] * len(PROMPTS)
    assert check(reported, expected, None, newest_only).word == "held"


@pytest.mark.parametrize("approach", KEPT_BY_REPLICA)
def test_usage_that_the_models_server_does_not_report_stays_unknown(
    replica: ConnectedReplica, approach: Approach
) -> None:
    replica.model.reports_usage = False
    turn = turns_on(replica, approach, PROMPTS[:2])[-1]
    assert turn.reply == "fine thanks"
    assert {turn.usage.input_tokens, turn.usage.cached_tokens, turn.usage.output_tokens} == {None}
    assert "not report" in turn.notes[-1]


@pytest.mark.parametrize("approach", ["conversations", "responses", "claude"])
def test_unreported_cached_tokens_are_none_while_the_rest_is_reported(
    replica: ConnectedReplica, approach: Approach
) -> None:
    replica.model.cached_tokens = None
    usage = turns_on(replica, approach, PROMPTS[:1])[-1].usage
    assert usage.cached_tokens is None
    assert usage.input_tokens
    assert usage.output_tokens == 2


@pytest.mark.parametrize("approach", KEPT_BY_REPLICA)
def test_every_response_says_that_it_is_from_a_replica(
    replica: ConnectedReplica, responses: list[httpx2.Response], approach: Approach
) -> None:
    history = history_on(replica, approach)
    handle = turns_on(replica, approach, PROMPTS[:2])[-1].handle
    history.count(handle, "and now?")
    history.export(handle)
    history.delete(handle)
    from_replica = [each for each in responses if str(each.request.url).startswith(replica.server.url)]
    assert len(from_replica) >= 3
    assert {each.headers[LABEL_HEADER] for each in from_replica} == {"replica on this machine, not OpenAI"}
    if approach != "claude":
        assert {each.status_code for each in from_replica} == {200, 404}  # read again after the deletion


@pytest.mark.parametrize("approach", ["conversations", "responses", "assistants"])
def test_an_expired_conversation_is_gone(replica: ConnectedReplica, approach: Approach) -> None:
    handle = turns_on(replica, approach, PROMPTS[:2])[-1].handle
    assert replica.expire(last_id(handle)).json()["expired"] is True
    with pytest.raises(ConversationGone):
        last_turn(history_on(replica, approach), handle)
    with pytest.raises(ConversationGone):
        history_on(replica, approach).export(handle)


def test_a_chain_with_a_missing_link_is_gone_and_not_shortened(replica: ConnectedReplica) -> None:
    handle = turns_on(replica, "responses", PROMPTS[:3])[-1].handle
    replica.expire(handle.all("response")[1])
    requests_before = len(replica.model.bodies)
    with pytest.raises(ConversationGone):
        last_turn(history_on(replica, "responses"), handle)
    assert len(replica.model.bodies) == requests_before


def test_an_expired_claude_thread_is_sent_again_and_the_turn_says_so(replica: ConnectedReplica) -> None:
    turns = turns_on(replica, "claude", PROMPTS[:3])
    replica.expire(last_id(turns[-1].handle))
    turn = last_turn(history_on(replica, "claude"), turns[-1].handle, PROMPTS[3])
    assert (turn.replayed, len(turn.wires)) == (True, 2)
    assert turn.bytes_up > 2 * turns[-1].bytes_up
    assert turn.usage.input_tokens == turns_on(replica, "manual", PROMPTS[:4])[-1].usage.input_tokens


@pytest.mark.parametrize("approach", ["conversations", "responses", "claude"])
def test_an_overflow_gives_its_numbers_and_leaves_nothing_behind(replica: ConnectedReplica, approach: Approach) -> None:
    handle = turns_on(replica, approach, PROMPTS[:1])[-1].handle
    first_exchange = SYSTEM_TOKENS + PROMPT_TOKENS + REPLY_TOKENS
    with pytest.raises(ContextOverflow) as caught:
        last_turn(history_on(replica, approach), handle, "word " * WINDOW)
    assert caught.value.tokens == first_exchange + WINDOW + 2
    assert caught.value.limit == (WINDOW if approach == "claude" else WINDOW - 100)  # a quarter is kept for the reply
    assert LABEL in caught.value.what
    turn = last_turn(history_on(replica, approach), handle, PROMPTS[1])
    assert turn.usage.input_tokens == first_exchange + PROMPT_TOKENS
