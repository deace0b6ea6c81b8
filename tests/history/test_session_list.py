"""The list of sessions while a part of the store does not answer, as while a cluster replaces a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from lib.errors import HistoryUnavailable
from lib.history.redis import RedisHistory
from tests.support.servers.redis_servers import TTL, say


class PartlyAway:
    """A client whose pipelines miss some answers, as redis-py's cluster client leaves them, the first `times`."""

    def __init__(self, client: Any, change: Callable[[list[Any]], list[Any]], times: int) -> None:
        self._client, self._change, self.times = client, change, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def pipeline(self, **options: Any) -> Any:
        pipe, outer = self._client.pipeline(**options), self

        class Pipeline:
            def __getattr__(self, name: str) -> Any:
                return getattr(pipe, name)

            def execute(self, **how: Any) -> list[Any]:
                answers: list[Any] = pipe.execute(**how)
                if outer.times <= 0:
                    return answers
                outer.times -= 1
                return outer._change(answers)

        return Pipeline()


MISSING: dict[str, Callable[[list[Any]], list[Any]]] = {
    "no answer": lambda answers: [None, None, None, *answers[3:]],
    "half an answer": lambda answers: [answers[0], None, *answers[2:]],
    "broken connections": lambda answers: [redis.ConnectionError("Connection closed by server.")] * 3 + answers[3:],
    "time is up": lambda answers: [redis.TimeoutError("Timeout reading from socket")] * 3 + answers[3:],
    "a moved slot": lambda answers: (
        [redis.exceptions.ClusterDownError("CLUSTERDOWN The cluster is down"), *answers[1:]]
    ),
    "a title that is elsewhere": lambda answers: [*answers[:2], redis.ResponseError("CLUSTERDOWN"), *answers[3:]],
    "too few answers": lambda answers: answers[:-1],
    "none": lambda answers: [],
}


@pytest.mark.parametrize("missing", list(MISSING))
def test_answers_that_are_missing_are_an_error_in_words(client: Any, redis_store: RedisHistory, missing: str) -> None:
    for name in ("a", "b"):
        say(redis_store, name, f"in {name}")
    away = PartlyAway(client, MISSING[missing], 99)
    store = RedisHistory(away, TTL)
    with pytest.raises(HistoryUnavailable, match="history store"):
        store.sessions(8)
    away.times = 0  # the node is back
    assert [entry.title for entry in store.sessions(8)] == ["in b", "in a"]


def test_a_connection_that_broke_once_is_asked_again(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "a", "in a")
    store = RedisHistory(PartlyAway(client, MISSING["broken connections"], 1), TTL)
    assert [entry.title for entry in store.sessions(8)] == ["in a"]


def test_a_title_of_another_type_leaves_the_session_in_the_list(client: Any, redis_store: RedisHistory) -> None:
    say(redis_store, "a", "in a")
    client.delete("{chat:a}:about")
    client.rpush("{chat:a}:about", "foreign")
    assert [entry.title for entry in redis_store.sessions(8)] == [""]
