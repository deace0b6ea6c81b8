"""The Lua scripts of a live turn: begin, read, keep alive, stop and discard. Shared parts are in lua.py."""

from __future__ import annotations

from lib.history.lua import ADD_TO_INDEX, CLOCK, READ, WRITE
from lib.turns import STALE_AFTER

RECORD = """
local function save_record(id, rest)
  call('SET', live, '{"id":"' .. id .. '","beat":' .. now .. ',' .. rest, 'PX', ARGV[1])
  renew_live = false
end
"""

BUSY = (
    f"local stale_after = {STALE_AFTER}"
    + """
-- Why nothing may be added now: 'answering', 'interrupted', or nil.
local function busy()
  if head == '' then return nil end
  local heartbeat = tonumber(string.match(head, '"beat":([%d.]+)'))
  local failed = string.find(head, '"failed":true', 1, true)
  return heartbeat and not failed and now - heartbeat <= stale_after and 'answering' or 'interrupted'
end
"""
)

NAME = """
-- A session is named once, after its first prompt.
local function name_session(title)
  local named = call('HMGET', about, 'created_at', 'title')
  if not named[1] then call('HSET', about, 'created_at', now) end
  if not named[2] and title ~= '' then call('HSET', about, 'title', title) end
end
"""

BEGIN = (
    WRITE
    + ADD_TO_INDEX
    + RECORD
    + BUSY
    + NAME
    + """
local id, rest, instead_of, title = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local replaced = held ~= id and busy()
if replaced == 'answering' or (replaced and (instead_of == '' or held ~= instead_of)) then return {replaced, now} end
if index then add_to_index(index, string.sub(chat, 6)) end
if replaced then refuse_from_now_on(held) end
save_record(id, rest)
name_session(title)
renew()
return {'ok', now}
"""
)

HEARTBEAT = (
    WRITE
    + RECORD
    + """
local id, rest = ARGV[2], ARGV[3]
if head ~= '' and held ~= id then return {'lost', now} end
if head == '' then
  -- The record is gone: cleared, discarded, replaced or committed. Otherwise the store restarted empty.
  if signals > 0 and call('HEXISTS', signal, 'gone:' .. id) == 1 then return {'lost', now} end
  local newest = call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
  if newest and string.match(newest[2][2] or '', '^{"id":"([^"]*)"') == id then return {'lost', now} end
end
save_record(id, rest)
renew()
return {signals > 0 and call('HGET', signal, 'stop') == id and 'stop' or 'ok', now}
"""
)

REQUEST_STOP = (
    WRITE
    + """
if held == ARGV[2] then
  set_signal('stop', held)
  renew()
end
return {'ok', now}
"""
)

DISCARD = (
    WRITE
    + """
if held == ARGV[2] then
  call('DEL', live)
  renew_live = false
  refuse_from_now_on(held)
  -- A session without an answer was named after the prompt that goes now.
  if size == 0 then call('HDEL', about, 'title', 'created_at') end
  renew()
end
return {'ok', now}
"""
)

LIVE = READ + CLOCK + "return {call('GET', live), now}"
