"""Reaching a Redis server: clients with explicit timeouts, and every failure in one place.

The rule: a server that is not there is said within a second, and the next call tries again. No password ever reaches an
error's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

from lib.errors import HistoryUnavailable

CONNECT_SECONDS = 0.4
ANSWER_SECONDS = 5.0
"""A connected server may be slow under load; one that cannot be connected to is not waited for."""

T = TypeVar("T")


def connect(url: str, *, cluster: bool = False) -> Any:
    """A client for redis://, rediss:// or unix://. Connects on first use; redis-py retries ten times by default, here once."""
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 1),
        "client_name": "windowseat",
    }
    if cluster:
        try:
            return RedisCluster.from_url(url, **options)
        except redis.RedisError as exc:
            raise HistoryUnavailable(what_happened(exc)) from exc
    if url.startswith("unix://"):
        options.pop("socket_connect_timeout")  # a unix socket answers or refuses at once
    return redis.Redis.from_url(url, **options)


def answering(question: Callable[[], T], revive: Callable[[], bool] | None = None) -> T:
    """Ask; where the connection fails and the server can be brought back, ask once more. Raises HistoryUnavailable."""
    try:
        return question()
    except (redis.ConnectionError, redis.TimeoutError, OSError) as exc:
        if revive is None or not revive():
            raise HistoryUnavailable(what_happened(exc)) from exc
    except redis.ResponseError as exc:
        if str(exc).startswith("WRONGTYPE"):
            raise
        raise HistoryUnavailable(what_happened(exc)) from exc
    except redis.RedisError as exc:
        raise HistoryUnavailable(what_happened(exc)) from exc
    try:
        return question()
    except (redis.RedisError, OSError) as exc:
        raise HistoryUnavailable(what_happened(exc)) from exc


def what_happened(exc: Exception) -> str:
    """A failure in plain words, without addresses or passwords."""
    if isinstance(exc, redis.AuthenticationError) or "NOAUTH" in str(exc) or "WRONGPASS" in str(exc):
        return "The history store (Redis) refuses the password, or wants one."
    if isinstance(exc, redis.BusyLoadingError):
        return "The history store (Redis) is still loading its data."
    if isinstance(exc, redis.TimeoutError):
        return "The history store (Redis) did not answer in time."
    if isinstance(exc, redis.ConnectionError | OSError):
        return "The history store (Redis) cannot be reached."
    word = str(exc).split(" ", 1)[0]
    reason = {"OOM": "is out of memory", "READONLY": "is read-only", "MISCONF": "cannot write to its disk"}.get(word)
    return (
        f"The history store (Redis) {reason}." if reason else f"The history store (Redis) refused a command ({word})."
    )
