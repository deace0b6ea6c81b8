"""Connects to Redis, and runs commands and scripts with our own retries.

An unreachable server is reported within about a second. redis-py's own retries are off: they wait for seconds, and only
we know that every operation of the store may be sent again when a connection breaks.
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
"""A redis.Redis or a RedisCluster. Their own types cover async clients too, so each result would need a cast."""

CONNECT_SECONDS = 0.7
ANSWER_SECONDS = 1.0
"""The longest silence of a connected server. A long answer may take longer as long as it keeps coming."""
READ_BYTES = 262_144
"""Read from a connection at a time. With redis-py's own 65,536 a history of megabytes takes half as long again."""
REVIVE_SECONDS = 1.0
"""A dead server is started again at most this often."""


def connect(url: str, cluster: bool = False) -> Client:
    """A client for redis://, rediss:// or unix://. It connects at its first command; a cluster is reached here.

    Raises InvalidSettings for an address that cannot be read, HistoryUnavailable for a cluster that cannot be reached.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_read_size": READ_BYTES,
        "protocol": 2,  # every server and proxy understands it, and we need nothing newer
    }
    never = Retry(NoBackoff(), 0)
    try:
        if cluster:
            return RedisCluster.from_url(url, retry=never, **options)
        return redis.Redis.from_url(url, retry=never, **options)
    except (ValueError, TypeError, AttributeError):
        # Not "from exc": urllib quotes the part it cannot read, which may be a part of the password.
        raise InvalidSettings(
            "REDIS_URL cannot be read. A password in it must be percent-encoded: / is %2F, # is %23, @ is %40."
        ) from None
    except REDIS_ERRORS as exc:
        raise translated(exc) from exc


class RetryingClient:
    """Runs operations on a client and translates its errors. `make_client` is called at first use.

    `revive` starts a dead server again and returns whether it answers.
    """

    def __init__(self, make_client: Callable[[], Client], revive: Callable[[], bool] | None) -> None:
        self._make_client = make_client
        self._client: Client | None = None
        self._revive = revive
        self._lock = threading.Lock()
        self._revived_at = float("-inf")

    def ask(self, operation: Callable[[Client], Any]) -> Any:
        """Run an operation that may run twice. Raises HistoryUnavailable, or CorruptHistory for a key of a wrong type.

        It runs again after a connection broke (the server restarted), and after a dead server was revived.
        """
        for attempts_left in (3, 2, 1, 0):  # a server that is killed may drop two connections before it refuses one
            try:
                return operation(self._connected() if self._client is None else self._client)
            except REDIS_ERRORS as exc:
                if not attempts_left or not (self._revived() if not_there(exc) else broke_off(exc)):
                    raise translated(exc) from exc
        raise AssertionError("the last attempt returns or raises")

    def run(self, script: str, keys: tuple[str, ...], *arguments: bytes | str | int) -> Any:
        """Run a script: by its digest, or with its text where the server does not have it yet."""
        digest = _digest(script)

        def run_script(client: Client) -> Any:
            try:
                return client.evalsha(digest, len(keys), *keys, *arguments)
            except NoScriptError:  # the server restarted, or it is another node of the cluster
                return client.eval(script, len(keys), *keys, *arguments)

        return self.ask(run_script)

    def close(self) -> None:
        """Give back the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._make_client()
            return self._client

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
