"""The Lua scripts for whole sessions: names, pins, owners, deadlines, deleting and bringing back.

Shared parts are in lib/history/lua.py. Arguments after the time to live are named at the top of each script.
"""

from __future__ import annotations

from lib.history.lua import CLOCK, DONE, READ, WRITE
from lib.history.lua_turns import BUSY

SAVE = WRITE + "call('HSET', about, ARGV[2], ARGV[3])" + DONE
"""Sets a field of the about hash, as any write does. Arguments: name, value."""

NOTE = (
    READ
    + """
-- Sets a field without touching any deadline, and only for a session that exists.
if call('EXISTS', about) == 0 then return 'ok' end
if ARGV[3] == '' then call('HDEL', about, ARGV[2]) else call('HSET', about, ARGV[2], ARGV[3]) end
return 'ok'
"""
)
"""Arguments: name, value; an empty value removes the field."""

CLAIM = (
    WRITE
    + """
local owner = call('HGET', about, 'owner')
if owner then return "owner:" .. owner end
call('HSET', about, 'owner', ARGV[2])
"""
    + DONE
)
OWNED_BY = "owner:"
"""Argument of CLAIM: the owner's id. It returns "ok", or this word and the owner that the session has."""

EXPIRE = (
    WRITE
    + BUSY
    + """
if busy == 'answering' then return busy end
-- Messages and about hash get one deadline, which says that we wrote both. If another service did, readers must know.
if foreign or not lineage then call('HSET', about, 'lineage', now) end
for _, key in ipairs({chat, turns, live, about, signal}) do
  if ARGV[2] == '' then
    call('PERSIST', key)
  else
    call('PEXPIREAT', key, string.format('%.0f', milliseconds + ARGV[2]))
  end
end
return 'ok'
"""
)
"""Argument: milliseconds from now, or empty for never."""

DELETE = (
    WRITE
    + BUSY
    + """
local receipt, kept_ms = ARGV[2], ARGV[3]
if busy == 'answering' then return busy end
local bin = '{' .. chat .. '}:bin:' .. receipt
-- The owners of these turns may still write, and are refused then.
local late = {held}
local newest = call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
late[#late + 1] = newest and string.match(newest[2][2] or '', '^{"id":"([^"]*)"')
for name, key in pairs({history = chat, turns = turns, live = live, about = about}) do
  if call('EXISTS', key) == 1 then
    call('HSET', bin, name, string.format('%.0f', call('PTTL', key) == -1 and -1 or milliseconds + call('PTTL', key)))
    call('RENAME', key, bin .. ':' .. name)
    call('PEXPIRE', bin .. ':' .. name, kept_ms)
  end
end
call('HSET', bin, 'score', ARGV[4])
call('PEXPIRE', bin, kept_ms)
for _, id in ipairs(late) do call('HSET', signal, 'gone:' .. id, '1') end
call('PEXPIRE', signal, ARGV[1])
return 'ok'
"""
)
"""Arguments: a receipt, for how many milliseconds everything is kept, the last activity.

The keys are renamed within the session's slot. The hash `bin` remembers their deadlines in milliseconds since the
epoch, -1 for none."""

UNDELETE = (
    READ
    + CLOCK
    + """
local bin = '{' .. chat .. '}:bin:' .. ARGV[2]
if call('EXISTS', bin) == 0 or call('EXISTS', chat, turns, live, about) > 0 then return '' end
local due, score = {}, call('HGET', bin, 'score')
for name, key in pairs({history = chat, turns = turns, live = live, about = about}) do
  due[name] = call('HGET', bin, name)
  if due[name] and call('EXISTS', bin .. ':' .. name) == 1 then
    call('RENAME', bin .. ':' .. name, key)
    if due[name] == '-1' then call('PERSIST', key) else call('PEXPIREAT', key, due[name]) end
  end
end
-- Readers that know the session from before load it anew.
if call('EXISTS', about) == 1 then call('HSET', about, 'lineage', now) end
call('DEL', bin)
call('HDEL', signal, 'stop')
return score
"""
)
"""Argument: the receipt. Returns the last activity it had, or nothing if it cannot be brought back."""
