"""Runs the read-only commands with which other libraries' keys are looked at, each bounded in keys and bytes.

Only SCAN, DBSIZE, TYPE, PTTL, MEMORY USAGE, STRLEN, GET, LLEN, LRANGE, HMGET, HGETALL, ZMSCORE, JSON.GET and
JSON.ARRLEN are ever sent. None of them changes a value or a deadline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import redis
from redis.exceptions import NoPermissionError

from lib.errors import ChatError, CorruptHistory, HistoryUnavailable
from lib.history.client import Client, RetryingClient

BATCH = 1_000
"""Keys that one SCAN looks at, and the most list items of one round trip."""
AT_ONCE = 500
"""Keys that are read in one round trip."""
MOST_KEYS = 1_000_000
"""Keys of the server that are looked at. A million take about five seconds."""
MOST_MESSAGES = 50_000
"""Messages of one conversation."""
MOST_BYTES = 64 * 1024 * 1024
"""Of one conversation, as the server counts its memory."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Stands in for a key that could not be read as what its name says. `what` says why, in words."""

    what: str


Part: TypeAlias = bytes | Mapping[bytes, bytes] | Wrong
"""One stored piece of a conversation: a text, the fields of a hash, or why there is none."""


class Access:
    """Reads from a server. Every method raises HistoryUnavailable, and ChatError if the server forbids a command."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    def key_count(self) -> int:
        """How many keys the server holds."""
        return int(self._ask(lambda client: client.dbsize()))

    def batches(self, match: bytes | None = None) -> Iterator[list[bytes]]:
        """All keys that match, batch by batch. One batch is what one SCAN found, which may be nothing.

        A key may come twice. The nodes of a cluster are looked at one after the other.
        """
        for node in self._ask(_nodes):
            cursor = 0
            while True:
                cursor, keys = self._ask(partial(_scan, node=node, cursor=cursor, match=match))
                yield keys
                if not cursor:
                    break

    def expect(self, key: bytes, kind: str, library: str) -> None:
        """Raise unless the key is of this Redis type: ChatError if it is gone, CorruptHistory if it is another one."""
        found = self._ask(lambda client: client.type(key)).decode(errors="replace")
        if found == "none":
            raise gone()
        if found != kind:
            name = key.decode(errors="replace")
            what = f"The key {name[:200]} is a Redis {found}, and not the {kind} that {library} writes."
            raise CorruptHistory(what, raw=f"(a Redis {found})".encode(), where="key type")

    def text(self, key: bytes, most: int = MOST_BYTES) -> bytes | None:
        """The value of a string key; None if it is longer than `most` bytes. Raises ChatError if it is gone."""
        if int(self._ask(lambda client: client.strlen(key))) > most:
            return None
        value: bytes | None = self._ask(lambda client: client.get(key))
        if value is None:
            raise gone()
        return value

    def items(self, key: bytes) -> list[bytes]:
        """The items of a list key. Raises ChatError if there are too many."""
        self.check_size([key])
        if self.length(key) > MOST_MESSAGES:
            raise too_large()
        items: list[bytes] = []
        while True:
            first, last = len(items), len(items) + BATCH - 1
            batch = self._ask(lambda client, a=first, b=last: client.lrange(key, a, b))
            items += batch
            if len(items) > MOST_MESSAGES or sum(map(len, items)) > MOST_BYTES:
                raise too_large()
            if len(batch) < BATCH:
                return items

    def length(self, key: bytes) -> int:
        """How many items a list key has."""
        return int(self._ask(lambda client: client.llen(key)))

    def fields(self, key: bytes, *names: str) -> list[bytes | None]:
        """These fields of a hash key; None for those that are missing, or if it is no hash."""
        (found,) = self.answers([("HMGET", key, *names)])
        return [None] * len(names) if isinstance(found, Wrong) else list(found)

    def each(self, keys: Sequence[bytes], command: str, *arguments: str) -> tuple[Part, ...]:
        """What the command answers for each key. A key that is gone is passed over.

        Raises ChatError if the conversation is too large.
        """
        if len(keys) > MOST_MESSAGES:
            raise too_large()
        self.check_size(keys)
        parts: list[Part] = []
        for start in range(0, len(keys), AT_ONCE):
            answers = self.answers([(command, key, *arguments) for key in keys[start : start + AT_ONCE]])
            parts += [answer for answer in answers if answer not in (None, {})]
        return tuple(parts)

    def check_size(self, keys: Sequence[bytes]) -> None:
        """Raise ChatError if the keys take more memory than is read. A server that does not say is believed."""
        total = 0
        for start in range(0, len(keys), AT_ONCE):
            total += sum(size or 0 for size in self.sizes(keys[start : start + AT_ONCE]))
            if total > MOST_BYTES:
                raise too_large()

    def sizes(self, keys: Sequence[bytes]) -> list[int | None]:
        """Bytes that each key takes; None where the server does not say."""
        answers = self.answers([("MEMORY USAGE", key) for key in keys], optional=True)
        return [answer if isinstance(answer, int) else None for answer in answers]

    def size(self, key: bytes) -> int | None:
        """Bytes that a key takes; None if the server does not say."""
        return self.sizes([key])[0]

    def without_score(self, key: str, members: Sequence[str]) -> list[str]:
        """Those of the members that are not in a sorted set, in their order."""
        missing: list[str] = []
        for start in range(0, len(members), BATCH):
            batch = members[start : start + BATCH]
            scores = self._ask(lambda client, names=batch: client.zmscore(key, names))
            missing += [member for member, score in zip(batch, scores, strict=True) if score is None]
        return missing

    def deadlines(self, keys: Sequence[bytes]) -> list[int]:
        """Milliseconds that each key has left; -1 for ever, -2 if it does not exist."""
        return [int(answer) for answer in self.answers([("PTTL", key) for key in keys])]

    def answers(self, commands: Sequence[tuple[bytes | str, ...]], optional: bool = False) -> list[Any]:
        """The answers to several commands in one round trip. A command that fails for its key answers Wrong, and with
        `optional` one that the server refuses or does not know does, too."""
        if not commands:
            return []
        return list(self._ask(partial(_answers, commands=commands, optional=optional)))

    def _ask(self, operation: Any) -> Any:
        try:
            return self._client.ask(operation)
        except HistoryUnavailable as exc:
            if _is_refusal(exc.__cause__):
                raise _not_allowed() from exc
            raise
        except CorruptHistory as exc:
            what = "A key of this conversation is of another Redis type than its name says."
            raise CorruptHistory(what, where="key type") from exc


def gone() -> ChatError:
    """For a conversation that does not exist, or not any more."""
    return ChatError(
        "This conversation is not on the server: its library has deleted it, or it has expired.",
        safe="Windowseat has changed nothing.",
        next_step="Open another one.",
    )


def too_large() -> ChatError:
    """For a conversation, or a server, with more than is looked at."""
    return ChatError(
        f"This conversation is too large to be shown: more than {MOST_MESSAGES:,} messages or"
        f" {MOST_BYTES // 1024**2:,} MB, or on a server with more than {MOST_KEYS:,} keys.",
        safe="Nothing was read or changed.",
        next_step="Look at it with the library that wrote it.",
    )


def _not_allowed() -> ChatError:
    return ChatError(
        "The server does not let this user read it, or does not know a command that its format needs.",
        safe="Nothing was read or changed.",
        next_step="Allow the commands that docs/redis.md lists for other libraries' conversations.",
    )


def _is_refusal(exc: BaseException | None) -> bool:
    return isinstance(exc, NoPermissionError) or (
        isinstance(exc, redis.ResponseError) and str(exc).lower().startswith(("unknown command", "noperm"))
    )


def _nodes(client: Client) -> list[Any]:
    """The nodes that hold keys: the primaries of a cluster, or None for the one server."""
    return sorted(client.get_primaries(), key=lambda node: node.name) if hasattr(client, "get_primaries") else [None]


def _scan(client: Client, node: Any, cursor: int, match: bytes | None) -> tuple[int, list[bytes]]:
    if node is None:
        following, keys = client.scan(cursor, match=match, count=BATCH)
        return int(following), keys
    cursors, keys = client.scan(cursor, match=match, count=BATCH, target_nodes=node)
    return int(cursors[node.name]), keys


def _answers(client: Client, commands: Sequence[tuple[bytes | str, ...]], optional: bool) -> list[Any]:
    pipe = client.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    answers = pipe.execute(raise_on_error=False)
    if len(answers) < len(commands):
        raise redis.ConnectionError("too few answers")
    return [_answer(answer, optional) for answer in answers]


def _answer(answer: Any, optional: bool) -> Any:
    if isinstance(answer, redis.ResponseError) and (optional or "wrong" in str(answer).lower()):
        return Wrong("its key is of another Redis type")
    if isinstance(answer, Exception):
        raise answer
    return answer
