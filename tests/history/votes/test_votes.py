"""Both books of votes keep the same promises: a vote counts once, and nobody sees another person's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.access.own_votes import OwnVotes
from lib.history.client import RetryingClient, connect
from lib.history.votes import KEPT_SECONDS, MOST_VOTES, Vote, VoteBook
from lib.history.votes import memory as memory_votes
from lib.history.votes import redis as redis_votes
from tests.support.servers.redis_servers import RedisServer

VOTE = Vote("v1", "openai: a “1”", ("openai: a “1”", "local: b"), 1000.5)


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[RetryingClient]:
    connected = RetryingClient(lambda: connect(redis_server.url), None)
    connected.ask(lambda each: each.flushall())
    yield connected
    connected.close()


@pytest.fixture(params=["memory", "redis"])
def book(request: pytest.FixtureRequest, client: RetryingClient) -> VoteBook:
    return memory_votes.MemoryVotes() if request.param == "memory" else redis_votes.RedisVotes(client)


def test_a_vote_is_kept_as_it_was_first_cast(book: VoteBook) -> None:
    book.cast("ada", VOTE)
    book.cast("ada", Vote("v1", "local: b", VOTE.shown, 2000.0))
    newer = Vote("v2", "", ("x", "y"), 3000.0)
    book.cast("ada", newer)
    assert list(book.votes("ada")) == [newer, VOTE]


def test_people_see_and_forget_only_their_own(book: VoteBook) -> None:
    ada, bert = OwnVotes(book, "ada"), OwnVotes(book, "bert")
    ada.cast(VOTE)
    assert (list(ada.votes()), list(bert.votes())) == ([VOTE], [])
    bert.forget()
    assert list(ada.votes()) == [VOTE]
    ada.forget()
    assert list(ada.votes()) == []


def test_the_oldest_go_first(book: VoteBook, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (memory_votes, redis_votes):
        monkeypatch.setattr(module, "MOST_VOTES", 3)
    for number in (5, 1, 4, 2, 3):
        book.cast("ada", Vote(f"v{number}", "", ("x", "y"), float(number)))
    assert [vote.id for vote in book.votes("ada")] == ["v5", "v4", "v3"]
    assert MOST_VOTES == 1000


def test_what_cannot_be_read_is_passed_over_and_votes_expire(client: RetryingClient) -> None:
    book = redis_votes.RedisVotes(client)
    book.cast("ada", VOTE)
    odd = {"bad": b"\xff", "list": b"[1]", "short": b'{"winner": "x"}', "when": b'{"at": "x"}'}
    client.ask(lambda each: each.hset("votes:ada", mapping=odd))
    assert list(book.votes("ada")) == [VOTE]
    left = client.ask(lambda each: each.ttl("votes:ada"))
    assert KEPT_SECONDS - 60 < left <= KEPT_SECONDS
