"""The Lua scripts that begin, read, update, stop and discard a live turn. Shared parts are in lua.py."""

from __future__ import annotations

from lib.history.lua import CLOCK, DONE, READ, WRITE
from lib.history.sessions.lua_index import ADD_TO_INDEX, LISTED
from lib.turns import STALE_AFTER

BUSY = (
    f"local stale_after = {STALE_AFTER}"
    + """
-- Why nothing may be added now: 'answering', 'interrupted', or nil.
local busy
if head ~= '' then
  local heartbeat = tonumber(string.match(head, '"beat":([%d.]+)'))
  local failed = string.find(head, '"failed":true', 1, true)
  busy = heartbeat and not failed and now - heartbeat <= stale_after and 'answering' or 'interrupted'
end
"""
)

NAME = """
-- A session is named only once, after its first prompt.
local named = call('HMGET', about, 'created_at', 'title')
if not named[1] then call('HSET', about, 'created_at', now) end
if not named[2] and title ~= '' then
  call('HSET', about, 'title', title)
  if index then redis.pcall('HSET', names, session, (owner or '') .. ' ' .. title) end
end
"""

SAVE_RECORD = """
call('SET', live, '{"id":"' .. id .. '","beat":' .. now .. ',' .. rest, 'PX', ARGV[1])
renew_live = false
"""

BEGIN = (
    WRITE
    + BUSY
    + """
local id, rest, instead_of, title = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if held == id then busy = nil end -- a repeated BEGIN of the same turn
if busy == 'answering' or busy and (instead_of == '' or held ~= instead_of) then return busy end
"""
    + ADD_TO_INDEX
    + """
if busy then
  call('HSET', signal, 'gone:' .. held, '1')
  signals = 1
end
"""
    + SAVE_RECORD
    + NAME
    + LISTED
)

HEARTBEAT = (
    WRITE
    + """
local id, rest = ARGV[2], ARGV[3]
if head ~= '' and held ~= id then return 'lost' end
if head == '' then
  -- There is no live record: the turn was cleared, discarded, replaced or committed, or the store restarted empty.
  if signals > 0 and call('HEXISTS', signal, 'gone:' .. id) == 1 then return 'lost' end
  local newest = call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
  if newest and string.match(newest[2][2] or '', '^{"id":"([^"]*)"') == id then return 'lost' end
end
local stop = signals > 0 and call('HGET', signal, 'stop') == id
"""
    + SAVE_RECORD
    + DONE.replace("return 'ok'", "return stop and 'stop' or 'ok'")
)

REQUEST_STOP = (
    WRITE
    + """
if held ~= ARGV[2] then return 'ok' end
call('HSET', signal, 'stop', held)
signals = 1
"""
    + DONE
)

DISCARD = (
    WRITE
    + """
if held ~= ARGV[2] then return 'ok' end
call('DEL', live)
renew_live = false
call('HSET', signal, 'gone:' .. held, '1')
signals = 1
-- A session without messages was named after the discarded prompt, so its name goes too.
if size == 0 then call('HDEL', about, 'title', 'created_at') end
"""
    + DONE
)

LIVE = READ + CLOCK + "return {call('GET', live), now}"
"""Returns {live record, server time in seconds}."""
