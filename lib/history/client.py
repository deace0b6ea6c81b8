"""Reaching Redis: the client with its patience, and RetryingClient, which asks it.

The rule: an unreachable server is known within about a second. redis-py's own retries are off: they wait for seconds, and
whether a command whose connection broke may be sent again is known here: every operation of the store may.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError
from redis.retry import Retry

from lib.errors import ChatError, InvalidSettings
from lib.history.redis_errors import REDIS_ERRORS, broke_off, not_there, translated

Client: TypeAlias = Any
"""A redis.Redis or a RedisCluster. Their own types stand for the asynchronous clients too, and would have to be cast away."""

CONNECT_SECONDS = 0.7
ANSWER_SECONDS = 1.0
"""Longest silence of a server that is connected; a long answer may take longer as long as it keeps coming."""
REVIVE_SECONDS = 1.0
"""A server that died under us is started again at most this often."""


def connect(url: str, cluster: bool = False) -> Client:
    """A client for redis://, rediss:// or unix://. A single server is first reached by the first command, a cluster here.

    Raises InvalidSettings for an address that cannot be read, HistoryUnavailable for a cluster that is not reached.
    """
    patience: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "protocol": 2,  # all that is needed, and understood by every server and proxy
    }
    never = Retry(NoBackoff(), 0)
    try:
        if cluster:
            return RedisCluster.from_url(url, retry=never, **patience)
        return redis.Redis.from_url(url, retry=never, **patience)
    except (ValueError, TypeError, AttributeError):
        # Not "from exc": urllib quotes the part it cannot read, which may be a part of the password.
        raise InvalidSettings(
            "REDIS_URL cannot be read. A password in it must be percent-encoded: / is %2F, # is %23, @ is %40."
        ) from None
    except REDIS_ERRORS as exc:
        raise translated(exc) from exc


class RetryingClient:
    """Asks a client and translates its errors. `make` gives the client, at first use: a cluster is reached when made.

    `revive` starts a dead server again and says whether it answers.
    """

    def __init__(self, make: Callable[[], Client], revive: Callable[[], bool] | None) -> None:
        self._make = make
        self._made: Client | None = None
        self._revive = revive
        self._lock = threading.Lock()
        self._revived_at = float("-inf")

    def ask(self, operation: Callable[[Client], Any]) -> Any:
        """Do something that may be done twice. Raises HistoryUnavailable, or CorruptHistory for a key of a wrong type.

        It is done again after a connection broke off (the server restarted), and after a dead server was revived.
        """
        for attempts_left in (3, 2, 1, 0):  # a server that is killed may drop two connections before it refuses one
            try:
                return operation(self._client())
            except REDIS_ERRORS as exc:
                if not attempts_left or not (self._revived() if not_there(exc) else broke_off(exc)):
                    raise translated(exc) from exc
        raise AssertionError("the last attempt returns or raises")

    def run(self, script: str, keys: tuple[str, ...], *arguments: bytes | str | int) -> Any:
        """Run a script, by its digest where the server knows it already."""

        def call(client: Client) -> Any:
            try:
                return client.evalsha(_digest(script), len(keys), *keys, *arguments)
            except NoScriptError:  # a server that restarted, or another node of the cluster
                return client.eval(script, len(keys), *keys, *arguments)

        return self.ask(call)

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def _client(self) -> Client:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _revived(self) -> bool:
        with self._lock:
            if self._revive is None or time.monotonic() - self._revived_at < REVIVE_SECONDS:
                return False
            self._revived_at = time.monotonic()
        try:
            return self._revive()
        except ChatError:
            return False


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
