"""A book of votes in Redis.

    votes:<owner>   hash   the vote's id -> JSON {"winner", "shown", "at"}

The script works on one key, so it runs on a cluster too, and may run twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from lib.history.client import RetryingClient
from lib.history.votes import KEPT_SECONDS, MOST_VOTES, Vote

PREFIX = "votes:"

CAST = """
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
while redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) do
  local fields, oldest, name = redis.call('HGETALL', KEYS[1]), nil, nil
  for place = 1, #fields, 2 do
    local read, vote = pcall(cjson.decode, fields[place + 1])
    local at = read and type(vote) == 'table' and tonumber(vote['at']) or 0
    if oldest == nil or at < oldest or (at == oldest and fields[place] < name) then
      oldest, name = at, fields[place]
    end
  end
  redis.call('HDEL', KEYS[1], name)
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'ok'
"""
"""Arguments: id, JSON, most votes, milliseconds to live."""


class RedisVotes:
    """A VoteBook on the store's own connection."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    def cast(self, owner: str, vote: Vote) -> None:
        self._client.run(CAST, (PREFIX + owner,), vote.id, vote.to_json(), MOST_VOTES, KEPT_SECONDS * 1000)

    def votes(self, owner: str) -> Sequence[Vote]:
        stored = self._client.ask(lambda client: client.hgetall(PREFIX + owner))
        found = (Vote.read(_text(vote_id), _text(value)) for vote_id, value in stored.items())
        return sorted((vote for vote in found if vote is not None), key=lambda vote: (-vote.at, vote.id))

    def forget(self, owner: str) -> None:
        self._client.ask(lambda client: client.delete(PREFIX + owner))


def _text(value: bytes) -> str:
    """Bytes that another program may have written."""
    return value.decode("utf-8", "replace")
