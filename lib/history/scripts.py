"""The Lua scripts that make each write of a turn one atomic step.

The rule: every script touches keys of one session only (they share a cluster slot), checks before it writes, and renews the
time to live of all of them. Ownership of the live record is checked by comparing its first bytes (`{"id":"<id>"`), never by
decoding it: its text may hold what JSON decoders refuse, and its size must not matter.

Every script takes the same five keys, in this order: the messages, the turns, the live record, what is kept about the
session, and the signal ("stop:<id>" asks the owner of a live record to stop, "gone:<id>" says that it was taken away).
"""

from __future__ import annotations

_COMMON = """
local chat, turns, live, about, signal = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local function now()
  local t = redis.call('TIME')
  return t[1] .. '.' .. string.format('%06d', t[2])
end
local function mark(id) return '{"id":"' .. id .. '"' end
local function owner(id)
  local head = mark(id)
  return redis.call('GETRANGE', live, 0, #head - 1) == head
end
-- A record that was taken away leaves a signal, or the session it was taken from. A store that restarted empty has
-- neither: then the owner goes on, so that nothing is lost.
local function forgotten(id)
  return redis.call('GET', signal) ~= 'gone:' .. id and redis.call('EXISTS', about) == 0
end
local function renew(ttl)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
end
local function put(id, rest, ttl)
  redis.call('SET', live, mark(id) .. ',"beat":' .. now() .. ',' .. rest, 'EX', ttl)
end
"""

BEGIN = (
    _COMMON
    + """
-- id, rest of the record, ttl, title, created_at, id it may replace, seconds without a heartbeat that allow it
local id, rest, ttl, title, created, instead, stale = unpack(ARGV)
local held = redis.call('GET', live)
if held then
  local beat = tonumber(string.match(held, '^{"id":"[^"]*","beat":([%d.]+)'))
  local failed = string.match(held, '^{"id":"[^"]*","beat":[%d.]+,"failed":true') ~= nil
  local interrupted = failed or (beat and tonumber(now()) - beat > tonumber(stale))
  if not (instead ~= '' and owner(instead) and interrupted) then
    return interrupted and 'interrupted' or 'answering'
  end
  redis.call('SET', signal, 'gone:' .. instead)
else
  redis.call('DEL', signal)
end
put(id, rest, ttl)
redis.call('HSETNX', about, 'title', title)
redis.call('HSETNX', about, 'created_at', created)
renew(ttl)
return 'ok'
"""
)

BEAT = (
    _COMMON
    + """
-- id, rest of the record, ttl
local id, rest, ttl = unpack(ARGV)
local said = redis.call('GET', signal)
if redis.call('EXISTS', live) == 1 then
  if not owner(id) then return 'lost' end
elseif not forgotten(id) then
  return 'lost'
end
put(id, rest, ttl)
renew(ttl)
return said == 'stop:' .. id and 'stop' or 'ok'
"""
)

LIVE = "return {redis.call('GET', KEYS[1]), redis.call('TIME')}"

COMMIT = (
    _COMMON
    + """
-- id, messages as JSON without the brackets, turn, ttl, index to mute or '', title, created_at
local id, messages, turn, ttl, mute, title, created = unpack(ARGV)
if redis.call('EXISTS', live) == 1 then
  if not owner(id) then return 'lost' end
elseif not forgotten(id) then
  return 'lost'
end
local kind = redis.call('TYPE', chat)['ok']
if kind ~= 'none' and kind ~= 'string' then return 'corrupt' end
local size = kind == 'none' and 0 or redis.call('STRLEN', chat)
if kind == 'none' or (size == 2 and redis.call('GET', chat) == '[]') then
  redis.call('SET', chat, '[' .. messages .. ']')
elseif size > 2 and redis.call('GETRANGE', chat, 0, 0) == '[' and redis.call('GETRANGE', chat, size - 1, size - 1) == ']' then
  redis.call('SETRANGE', chat, size - 1, ',' .. messages .. ']')
else
  return 'corrupt'
end
redis.call('XADD', turns, '*', 'turn', turn)
if mute ~= '' then redis.call('HSET', about, 'muted:' .. mute, '1') end
redis.call('HSETNX', about, 'title', title)
redis.call('HSETNX', about, 'created_at', created)
redis.call('DEL', live, signal)
renew(ttl)
return 'ok'
"""
)

DISCARD = (
    _COMMON
    + """
-- id, ttl
local id, ttl = unpack(ARGV)
if not owner(id) then return 'lost' end
redis.call('DEL', live)
redis.call('SET', signal, 'gone:' .. id)
renew(ttl)
return 'ok'
"""
)

STOP = (
    _COMMON
    + """
-- id, ttl
local id, ttl = unpack(ARGV)
if not owner(id) then return 'lost' end
redis.call('SET', signal, 'stop:' .. id)
renew(ttl)
return 'ok'
"""
)

CLEAR = (
    _COMMON
    + """
-- ttl
local held = redis.call('GET', live)
local id = held and string.match(held, '^{"id":"([^"]*)"')
redis.call('DEL', chat, turns, live, about, signal)
if id then redis.call('SET', signal, 'gone:' .. id, 'EX', ARGV[1]) end
return 'ok'
"""
)

REMEMBER = (
    _COMMON
    + """
-- settings, ttl
redis.call('HSET', about, 'settings', ARGV[1])
renew(ARGV[2])
return 'ok'
"""
)
