"""The Lua scripts for whole sessions: fields of the about hash, owners, deadlines, deleting and bringing back.

Keys: history, turns, live, about, signal; what they do to the index is in lua_index.py. Shared parts are in
lib/history/lua.py. The first argument is the time to live in milliseconds.
"""

from __future__ import annotations

from lib.history.lua import CLOCK, READ, WRITE
from lib.history.lua_turns import BUSY

_KEEP_DEADLINE = """
-- For a write that is no activity, and so changes no deadline. Only an about hash that is new needs one. It must not be
-- the one of the messages: equal deadlines say that the app wrote both.
local function keep_deadline(before)
  if before ~= -2 then return end
  local left = call('PTTL', chat)
  if left == -1 then return end
  call('PEXPIREAT', about, string.format('%.0f', milliseconds + (left == -2 and tonumber(ARGV[1]) or left) + 1))
end
local before = call('PTTL', about)
"""

SET_FIELD = (
    READ
    + CLOCK
    + _KEEP_DEADLINE
    + """
if ARGV[4] == '' and before == -2 and call('EXISTS', chat, live) == 0 then return 'absent' end
if ARGV[3] == '' then call('HDEL', about, ARGV[2]) else call('HSET', about, ARGV[2], ARGV[3]) end
keep_deadline(before)
return call('HGET', about, 'owner') or ''
"""
)
"""Sets a field. Arguments: name, value ("" removes it), "1" if the session need not exist yet. Returns the owner."""

CLAIM = (
    READ
    + CLOCK
    + _KEEP_DEADLINE
    + """
if call('HSETNX', about, 'owner', ARGV[2]) == 1 then keep_deadline(before) end
return call('HGET', about, 'owner')
"""
)
"""Argument: the owner's id. Returns the owner that the session has now."""

EXPIRE = (
    WRITE
    + BUSY
    + """
if busy == 'answering' then return busy end
if size == 0 and head == '' then return 'absent' end
-- Messages and about hash get one deadline, which says that we wrote both. If another service did, readers must know.
if foreign or not lineage then call('HSET', about, 'lineage', now) end
local ends = ARGV[2] ~= '' and milliseconds + ARGV[2] - 1
for _, key in ipairs({chat, turns, live, about, signal}) do
  if ends then call('PEXPIREAT', key, string.format('%.0f', ends)) else call('PERSIST', key) end
end
return {owner or '', ends and string.format('%.3f', ends / 1000) or '+inf'}
"""
)
"""Argument: milliseconds, or "" for never. Returns the owner and the deadline in seconds since the epoch."""

_BIN = """
local bin = KEYS[6]
local parts = {{'history', chat, KEYS[7]}, {'turns', turns, KEYS[8]}, {'live', live, KEYS[9]}, {'about', about, KEYS[10]}}
"""

DELETE = (
    WRITE
    + BUSY
    + _BIN
    + """
if busy == 'answering' then return busy end
if size == 0 and head == '' then return 'absent' end
local about_it = call('HMGET', about, 'title', 'session_pinned')
-- The owners of these turns may still write, and are refused then.
local late = {held}
local newest = call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
late[#late + 1] = newest and string.match(newest[2][2] or '', '^{"id":"([^"]*)"')
for _, part in ipairs(parts) do
  local name, key, kept = part[1], part[2], part[3]
  local life = call('PTTL', key)
  if life ~= -2 then
    local ends = redis.pcall('PEXPIRETIME', key)
    if type(ends) ~= 'number' then ends = life == -1 and -1 or milliseconds + life end -- before Redis 7
    call('RENAME', key, kept) -- the first write: a full server still allows this one
    call('PEXPIRE', kept, ARGV[2])
    call('HSET', bin, name, string.format('%.0f', ends))
  end
end
call('HSET', bin, 'activity', ARGV[3])
call('PEXPIRE', bin, ARGV[2])
for _, late_id in ipairs(late) do call('HSET', signal, 'gone:' .. late_id, '1') end
call('PEXPIRE', signal, ARGV[1])
return {owner or '', about_it[1] or '', about_it[2] or ''}
"""
)
"""Renames everything to the keys of the bin, which are five more keys (see bin_of in keys.py). Arguments: for how many
milliseconds it is kept, the last activity or "". Returns owner, title, and "1" if it was pinned."""

UNDELETE = (
    READ
    + CLOCK
    + _BIN
    + """
local kept = call('HMGET', bin, 'activity', 'history', 'live')
local ends = kept[2] or kept[3]
if not ends or call('EXISTS', chat, turns, live) > 0 then return '' end
if tonumber(ends) >= 0 and tonumber(ends) <= milliseconds then return '' end -- its time is up
call('DEL', about) -- what was kept of an empty session
for _, part in ipairs(parts) do
  local due = call('HGET', bin, part[1])
  if due and call('EXISTS', part[3]) == 1 then
    call('RENAME', part[3], part[2])
    if due == '-1' then call('PERSIST', part[2]) else call('PEXPIREAT', part[2], due) end
  end
end
call('DEL', bin)
if call('EXISTS', signal) == 1 then call('HDEL', signal, 'stop') end
local about_it = call('HMGET', about, 'owner', 'title', 'session_pinned')
local seconds = tonumber(ends) < 0 and '+inf' or string.format('%.3f', ends / 1000)
return {about_it[1] or '', kept[1] or '', seconds, about_it[2] or '', about_it[3] or ''}
"""
)
"""Renames everything back and gives it the deadlines it had. Returns owner, last activity or "", deadline in seconds
since the epoch or +inf, title, and "1" if it is pinned; or "" if it cannot be brought back."""
