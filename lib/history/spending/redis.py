"""A spending book in Redis.

    spending:session:<id>             hash   spent, and hold:<id> = amount:milliseconds until it counts as spent
    spending:day:<owner>:<YYYY-MM-DD> hash   the same for a person's day (UTC)
    spending:days:<owner>             hash   cap: the cap of this person's days; a session's is in its own hash

Every script works on one key, so it runs on a cluster too, and may run twice.
"""

from __future__ import annotations

from lib.history.client import RetryingClient
from lib.history.spending import HOLD_SECONDS, KEPT_SECONDS, Balance

PREFIX, CAP = "spending:", "cap"
NO_CAP = ""

_BALANCE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spent, held, late = tonumber(redis.call('HGET', KEYS[1], 'spent') or 0), 0, {}
local fields = redis.call('HGETALL', KEYS[1])
for place = 1, #fields, 2 do
  if string.sub(fields[place], 1, 5) == 'hold:' then
    local amount, ends = string.match(fields[place + 1], '^(%d+):(%d+)$')
    if tonumber(ends) < now then
      spent = spent + amount
      late[#late + 1] = fields[place]
    elseif fields[place] ~= ARGV[1] then
      held = held + amount
    end
  end
end
local function words(number) return string.format('%.0f', number) end
"""

HOLD = (
    _BALANCE.replace("or 0)", "or ARGV[4])", 1)
    + """
if ARGV[3] ~= '' and spent + held + ARGV[2] > tonumber(ARGV[3]) then return {'0', words(spent), words(held)} end
for _, name in ipairs(late) do redis.call('HDEL', KEYS[1], name) end
redis.call('HSET', KEYS[1], 'spent', words(spent), ARGV[1], ARGV[2] .. ':' .. words(now + ARGV[5]))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'1', words(spent), words(held)}
"""
)
"""Arguments: field, amount, cap or nothing, spent of a new account, milliseconds of a hold, milliseconds to live."""

BALANCE = _BALANCE + "return {'1', words(spent), words(held)}"
"""Argument: nothing. It writes nothing."""

SETTLE = """
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'spent', ARGV[2]) end
return 'ok'
"""
"""Arguments: field, amount."""


SET_CAP = """
if ARGV[1] == '' then redis.call('HDEL', KEYS[1], 'cap') else redis.call('HSET', KEYS[1], 'cap', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'ok'
"""
"""Arguments: amount or nothing, milliseconds to live."""


class RedisBook:
    """A SpendingBook on the store's own connection."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    def hold(self, account: str, hold_id: str, amount: int, cap: int | None, seed: int = 0) -> Balance:
        limit = NO_CAP if cap is None else str(cap)
        answer = self._client.run(
            HOLD, (PREFIX + account,), f"hold:{hold_id}", amount, limit, seed, HOLD_SECONDS * 1000, KEPT_SECONDS * 1000
        )
        return _balance(answer)

    def settle(self, account: str, hold_id: str, amount: int) -> None:
        self._client.run(SETTLE, (PREFIX + account,), f"hold:{hold_id}", amount)

    def balance(self, account: str) -> Balance:
        return _balance(self._client.run(BALANCE, (PREFIX + account,), ""))

    def cap(self, account: str) -> int | None:
        found = self._client.ask(lambda client: client.hget(PREFIX + account, CAP))
        return int(found) if found is not None and found.isdigit() else None

    def set_cap(self, account: str, amount: int | None) -> None:
        value = NO_CAP if amount is None else str(amount)
        self._client.run(SET_CAP, (PREFIX + account,), value, KEPT_SECONDS * 1000)


def _balance(answer: list[bytes]) -> Balance:
    accepted, spent, held = (int(each) for each in answer)
    return Balance(spent, held, bool(accepted))
