"""Connects to Redis, and runs commands and scripts with our own retries.

An unreachable server is reported within about a second. redis-py's own retries are off, because they wait for seconds.
Ours are safe because every operation of the store may run twice.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
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
"""Longest wait for the next bytes from a connected server. A large answer may take longer in total."""
READ_BYTES = 262_144
"""Bytes per read from a connection. redis-py's own 65,536 makes a history of megabytes take 1.5 times as long."""
EVICTION_CHECK_SECONDS = 60.0
"""How long an answer about the server's maxmemory-policy is used before it is asked again."""
REVIVE_SECONDS = 1.0
"""Least time between two attempts to restart a dead server."""
EVICTING = (
    "This Redis deletes chats when its memory is full (its maxmemory-policy is {policy}). With noeviction it keeps them"
    " and takes no new messages instead."
)


def connect(url: str, cluster: bool = False) -> Client:
    """A client for redis://, rediss:// or unix://. It connects at its first command, but to a cluster already here.

    Raises InvalidSettings for an address that cannot be parsed, HistoryUnavailable for an unreachable cluster.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_read_size": READ_BYTES,
        "protocol": 2,  # every server and proxy supports it, and we need nothing newer
    }
    no_retries = Retry(NoBackoff(), 0)
    try:
        if cluster:
            return RedisCluster.from_url(url, retry=no_retries, **options)
        return redis.Redis.from_url(url, retry=no_retries, **options)
    except (ValueError, TypeError, AttributeError):
        # Not "from exc": urllib's message quotes the part it cannot parse, which may hold part of the password.
        raise InvalidSettings(
            "REDIS_URL cannot be read. A password in it must be percent-encoded: / is %2F, # is %23, @ is %40."
        ) from None
    except REDIS_ERRORS as exc:
        raise translated(exc) from exc


class RetryingClient:
    """Runs operations on a client and translates its errors.

    `make_client` is called at first use. `revive` restarts a dead server and returns whether it answers.
    """

    def __init__(self, make_client: Callable[[], Client], revive: Callable[[], bool] | None) -> None:
        self._make_client = make_client
        self._client: Client | None = None
        self._revive = revive
        self._lock = threading.Lock()
        self._revived_at = float("-inf")

    def ask(self, operation: Callable[[Client], Any]) -> Any:
        """Run an operation, again if a connection broke (the server restarted) or a dead server was revived.

        Raises HistoryUnavailable, or CorruptHistory for a key of the wrong type.
        """
        for attempts_left in (3, 2, 1, 0):  # a killed server may drop two connections before it refuses one
            try:
                return operation(self._connected() if self._client is None else self._client)
            except REDIS_ERRORS as exc:
                if not attempts_left or not (self._revived() if not_there(exc) else broke_off(exc)):
                    raise translated(exc) from exc
        raise AssertionError("the last attempt returns or raises")

    def run(self, script: str, keys: tuple[str, ...], *arguments: bytes | str | int) -> Any:
        """Run a script by its digest, or send its text if the server does not have it yet."""
        digest = _digest(script)

        def run_script(client: Client) -> Any:
            try:
                return client.evalsha(digest, len(keys), *keys, *arguments)
            except NoScriptError:  # the server restarted, or this is another node of the cluster
                return client.eval(script, len(keys), *keys, *arguments)

        return self.ask(run_script)

    def close(self) -> None:
        """Close the connections."""
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


class EvictionCheck:
    """Whether the server deletes chats when its memory is full, as a warning for pages. Asked once a minute at most."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._asked_at = float("-inf")
        self._note: str | None = None

    def note(self) -> str | None:
        """The warning, or None. A server that does not answer, or does not say, changes nothing."""
        if time.monotonic() - self._asked_at > EVICTION_CHECK_SECONDS:
            self._asked_at = time.monotonic()
            with suppress(ChatError):
                policy = self._client.ask(_evicting_policy)
                self._note = None if policy is None else EVICTING.format(policy=policy)
        return self._note


def _evicting_policy(client: Client) -> str | None:
    """The policy by which this server deletes keys when its memory is full; None if it deletes nothing.

    Every chat has a time to live, so the volatile policies delete chats too.
    """
    answer = client.info("memory")
    nodes = [answer] if "maxmemory_policy" in answer else [node for node in answer.values() if isinstance(node, dict)]
    policies = (str(node.get("maxmemory_policy", "noeviction")) for node in nodes if node.get("maxmemory"))
    return next((policy for policy in policies if policy != "noeviction"), None)


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
