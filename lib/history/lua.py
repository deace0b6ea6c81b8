"""The Lua scripts of the Redis store: every write is one of them, so that it happens whole or not at all.

The rule: a script looks before it writes. Redis does not roll back, so whatever can be refused (a key of the wrong type,
a value that is no array, a record that is not ours) is refused before the first write. And a script may be run twice: a
client whose connection broke cannot know whether its last command was taken.
The index of sessions lives in another cluster slot, so it has a script of its own (TOUCH).

Keys of all others, always these five: history, turns, live, about, signal. The first argument is always the time to live in ms.
Writers answer {status, server time in seconds}.

Fields of the signal hash: `stop` (the turn asked to stop), `done` (the last turn committed), `gone:<id>` (a turn that
was cleared, discarded or replaced: a late owner is refused). Of about, beside what people see: `sealed` and `lineage`.
Every write of ours sets the deadline of the history and notes it as `sealed`. A deadline that is not the sealed one was set
by another service, whose write may have changed anything: then `lineage` changes, and readers load the history afresh.
"""

from __future__ import annotations

from lib.turns import STALE_AFTER

_READ = """
local chat, turns, live, about, signal = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
local milliseconds = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The deadline of the history in ms, as text: Lua's own tostring would shorten it to 1.7e+12.
local function deadline(sealed)
  local due = redis.pcall('PEXPIRETIME', chat)
  if type(due) == 'table' then return sealed end -- before Redis 7: readers rely on comparing bytes
  return string.format('%.0f', due)
end
"""

_WRITE = (
    _READ
    + """
local function refused(key, expected)
  local kind = redis.call('TYPE', key)['ok']
  if kind ~= 'none' and kind ~= expected then return {'wrong type ' .. kind .. ' ' .. key, now} end
end
local wrong = refused(chat, 'string') or refused(turns, 'stream') or refused(live, 'string')
  or refused(about, 'hash') or refused(signal, 'hash')
if wrong then return wrong end

-- The live record begins with {"id":"...","beat":seconds,"failed":true or false, so that asking whose it is costs the same
-- however long the reply has grown.
local head = redis.call('GETRANGE', live, 0, 512)
local held = string.match(head, '^{"id":"([^"]*)"')

local function renew()
  local sealed = redis.call('HGET', about, 'sealed')
  if deadline(sealed) ~= sealed then redis.call('HSET', about, 'lineage', now) end
  -- A millisecond short: no SETEX that comes after this, not even in the same millisecond, can give this deadline.
  local due = string.format('%.0f', milliseconds + ARGV[1] - 1)
  redis.call('HSET', about, 'sealed', due)
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, due) end
end

local function bury(id) -- whoever still answers this turn is refused from now on
  redis.call('HSET', signal, 'gone:' .. id, '1')
end

local function over(id)
  return redis.call('HEXISTS', signal, 'gone:' .. id) == 1
end

local function record(id, rest)
  return '{"id":"' .. id .. '","beat":' .. now .. ',' .. rest
end
"""
)

BEGIN = (
    _WRITE
    + f"local stale_after = {STALE_AFTER}"
    + """
local id, rest, instead_of, title = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if head ~= '' and held ~= id then
  local beat = tonumber(string.match(head, '"beat":([%d.]+)'))
  local failed = string.find(head, '"failed":true', 1, true)
  if beat and not failed and now - beat <= stale_after then return {'answering', now} end
  if instead_of == '' or held ~= instead_of then return {'interrupted', now} end
  bury(held)
end
redis.call('SET', live, record(id, rest))
redis.call('HSETNX', about, 'created_at', now)
if title ~= '' then redis.call('HSETNX', about, 'title', title) end
renew()
return {'ok', now}
"""
)

BEAT = (
    _WRITE
    + """
local id, rest = ARGV[2], ARGV[3]
if head ~= '' and held ~= id then return {'lost', now} end
if head == '' and (over(id) or redis.call('HGET', signal, 'done') == id) then return {'lost', now} end
redis.call('SET', live, record(id, rest))
renew()
return {redis.call('HGET', signal, 'stop') == id and 'stop' or 'ok', now}
"""
)

REQUEST_STOP = (
    _WRITE
    + """
if held == ARGV[2] then
  redis.call('HSET', signal, 'stop', held)
  renew()
end
return {'ok', now}
"""
)

DISCARD = (
    _WRITE
    + """
if held == ARGV[2] then
  redis.call('DEL', live)
  bury(held)
  -- A session that never got an answer is named after the prompt that goes now.
  if redis.call('EXISTS', chat) == 0 then redis.call('HDEL', about, 'title', 'created_at') end
  renew()
end
return {'ok', now}
"""
)

CLEAR = (
    _READ
    + """
-- No check of types: a person may delete what cannot be read.
local head = redis.call('TYPE', live)['ok'] == 'string' and redis.call('GETRANGE', live, 0, 512) or ''
local held = string.match(head, '^{"id":"([^"]*)"')
local kept = redis.call('TYPE', signal)['ok'] == 'hash'
local done = kept and redis.call('HGET', signal, 'done')
redis.call('DEL', chat, turns, live, about)
if kept then redis.call('HDEL', signal, 'stop', 'done') else redis.call('DEL', signal) end
if held then redis.call('HSET', signal, 'gone:' .. held, '1') end
-- Its owner may not have heard that its commit was taken, and ask again.
if done then redis.call('HSET', signal, 'gone:' .. done, '1') end
redis.call('PEXPIRE', signal, ARGV[1])
return {'ok', now}
"""
)

COMMIT = (
    _WRITE
    + """
local id, added, turn_start, turn, muted = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if head ~= '' and held ~= id then return {'lost', now} end
if head == '' then
  if over(id) then return {'lost', now} end
  -- The record is gone: this commit was taken before, or the store restarted empty.
  for _, entry in ipairs(redis.call('XREVRANGE', turns, '+', '-', 'COUNT', 100)) do
    if string.sub(entry[2][2] or '', 1, #turn_start) == turn_start then return {'ok', now} end
  end
end

local size = redis.call('STRLEN', chat)
local start = redis.call('GETRANGE', chat, 0, 63)
local tail = redis.call('GETRANGE', chat, -64, -1)
local blank = string.match(tail, '}%s*%](%s*)$') -- what follows the closing bracket of an array of objects
if added == '' then
  if size > 0 and not string.find(start, '^%s*%[') then return {'corrupt', now} end
elseif size == 0 or (size <= 64 and string.find(start, '^%s*%[%s*%]%s*$')) then
  redis.call('SET', chat, '[' .. added .. ']')
elseif blank and string.find(start, '^%s*%[%s*{') then
  -- Over the closing bracket: the new end is always longer than what it covers.
  redis.call('SETRANGE', chat, size - #blank - 1, ',' .. added .. ']' .. blank)
else
  return {'corrupt', now}
end

-- A turn's number is its entry id: finding one by number costs the same in a session of any length.
local last = redis.call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
local number = last and tonumber(string.match(last[1], '^%d+')) + 1 or 1
redis.call('XADD', turns, string.format('%.0f-0', number), 'turn', turn)
if muted ~= '' then redis.call('HSET', about, 'muted:' .. muted, '1') end
redis.call('DEL', live)
redis.call('HDEL', signal, 'stop')
redis.call('HSET', signal, 'done', id)
renew()
return {'ok', now}
"""
)

SAVE_FIELD = (
    _WRITE
    + """
redis.call('HSET', about, ARGV[2], ARGV[3])
renew()
return {'ok', now}
"""
)

SUMMARIES = (
    _WRITE
    + """
local id = ARGV[2]
if id ~= '' and held ~= id then return {'lost', now} end
redis.call('HSET', about, 'summaries', ARGV[3])
renew()
return {'ok', now}
"""
)

MARK = (
    _WRITE
    + """
redis.call('HDEL', about, 'pinned:' .. ARGV[2], 'muted:' .. ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', about, ARGV[3] .. ':' .. ARGV[2], '1') end
renew()
return {'ok', now}
"""
)

LIVE = _READ + "return {redis.call('GET', live), now}"

LOAD = (
    _READ
    + """
-- {bytes from this offset to that one, stamp, length}. Where the stamp has not changed, neither has anything before the offset, unless
-- it is empty: then nothing is known.
local marks = redis.call('HMGET', about, 'sealed', 'lineage')
local due = deadline(marks[1])
local stamp = ''
if marks[2] and due == marks[1] then stamp = marks[2]
elseif due and tonumber(due) > 0 and (due - milliseconds) % 1000 > 0 then
  -- (A SETEX of this very millisecond may be followed by another.)
  stamp = due .. ' ' .. redis.call('STRLEN', chat)
end
return {redis.call('GETRANGE', chat, ARGV[2], ARGV[3]), stamp, redis.call('STRLEN', chat)}
"""
)

TOUCH = """
-- The index: moves a session to the top and drops what must have expired. Key: index; time to live in ms, session id.
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1] / 1000)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
