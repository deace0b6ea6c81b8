"""A store of prompt runs in Redis.

    prompt_runs:<owner>        sorted set   ids of the person's runs, by when they were made; may list expired ones
    prompt_runs:<owner>:<id>   hash         head, prompts, held = holder:milliseconds until it ends, answer:<name>

Every script works on one key, so it runs on a cluster too, and may run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lib.history import valid_session_id
from lib.history.client import RetryingClient
from lib.history.prompt_sets import HELD_SECONDS, KEPT_SECONDS, MOST_RUNS, StoredRun

PREFIX, ANSWER = "prompt_runs:", "answer:"
KEPT_MS = KEPT_SECONDS * 1000

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HGET', KEYS[1], 'held')
local holder, ends = string.match(held or '', '^(.*):(%d+)$')
local alive = holder and tonumber(ends) > now
"""

ROW = (
    _NOW
    + """
local head = redis.call('HGET', KEYS[1], 'head')
if not head then return false end
return {head, redis.call('HLEN', KEYS[1]) - 2 - (held and 1 or 0), alive and 1 or 0}
"""
)
"""It writes nothing."""

SAVE = """
if redis.call('HEXISTS', KEYS[1], 'head') == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""Arguments: field, value, milliseconds to live."""

HOLD = (
    _NOW
    + """
if redis.call('HEXISTS', KEYS[1], 'head') == 0 or (alive and holder ~= ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'held', ARGV[1] .. ':' .. string.format('%.0f', now + ARGV[2]))
return 1
"""
)
"""Arguments: holder, milliseconds."""

RELEASE = (
    _NOW
    + """
if holder == ARGV[1] then redis.call('HDEL', KEYS[1], 'held') end
return 1
"""
)
"""Argument: holder."""

CREATE = """
redis.call('HSET', KEYS[1], 'head', ARGV[1], 'prompts', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""Arguments: head, prompts, milliseconds to live."""

LIST = """
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""Arguments: run id, seconds since the epoch, milliseconds to live."""


class RedisRuns:
    """A RunStore on the store's own connection. `written` is called after every write."""

    def __init__(self, client: RetryingClient, written: Callable[[], None] | None = None) -> None:
        self._client = client
        self._written = written

    def create(self, owner: str, run_id: str, head: str, prompts: str, created_at: float) -> bool:
        key = _key(owner, run_id)
        if len(self._listed(owner)) >= MOST_RUNS:
            gone = [each for each in self._listed(owner) if self.run(owner, each) is None]
            if not gone:
                return False
            self._client.ask(lambda client: client.zrem(_index(owner), *gone))
        self._client.run(CREATE, (key,), head, prompts, KEPT_MS)
        self._client.run(LIST, (_index(owner),), run_id, f"{created_at:.3f}", KEPT_MS)
        self._wrote()
        return True

    def runs(self, owner: str) -> list[StoredRun]:
        found = (self.run(owner, run_id) for run_id in self._listed(owner))
        return [run for run in found if run is not None]

    def run(self, owner: str, run_id: str) -> StoredRun | None:
        row = self._client.run(ROW, (_key(owner, run_id),))
        return None if row is None else StoredRun(run_id, row[0].decode(), int(row[1]), bool(int(row[2])))

    def prompts(self, owner: str, run_id: str) -> str | None:
        key = _key(owner, run_id)
        found = self._client.ask(lambda client: client.hget(key, "prompts"))
        return None if found is None else str(found.decode())

    def answers(self, owner: str, run_id: str) -> Mapping[str, str]:
        key = _key(owner, run_id)
        found = self._client.ask(lambda client: client.hgetall(key))
        texts = {name.decode(): value for name, value in found.items()}
        return {name.removeprefix(ANSWER): value.decode() for name, value in texts.items() if name.startswith(ANSWER)}

    def save_head(self, owner: str, run_id: str, head: str) -> bool:
        return self._save(owner, run_id, "head", head)

    def save_answer(self, owner: str, run_id: str, name: str, answer: str) -> bool:
        return self._save(owner, run_id, f"{ANSWER}{name}", answer)

    def hold(self, owner: str, run_id: str, holder: str) -> bool:
        return bool(self._client.run(HOLD, (_key(owner, run_id),), holder, HELD_SECONDS * 1000))

    def release(self, owner: str, run_id: str, holder: str) -> None:
        self._client.run(RELEASE, (_key(owner, run_id),), holder)

    def delete(self, owner: str, run_id: str) -> None:
        key = _key(owner, run_id)
        self._client.ask(lambda client: client.delete(key))
        self._client.ask(lambda client: client.zrem(_index(owner), run_id))
        self._wrote()

    def _listed(self, owner: str) -> list[str]:
        found = self._client.ask(lambda client: client.zrevrange(_index(owner), 0, -1))
        return [each.decode() for each in found]

    def _save(self, owner: str, run_id: str, field: str, value: str) -> bool:
        saved = bool(self._client.run(SAVE, (_key(owner, run_id),), field, value, KEPT_MS))
        self._wrote()
        return saved

    def _wrote(self) -> None:
        if self._written is not None:
            self._written()


def _index(owner: str) -> str:
    return f"{PREFIX}{owner or '-'}"


def _key(owner: str, run_id: str) -> str:
    if not valid_session_id(run_id):
        raise ValueError(f"not a run id: {run_id!r}")
    return f"{_index(owner)}:{run_id}"
