"""The Lua scripts that read and append messages: load, commit and import. Shared parts are in lua.py."""

from __future__ import annotations

from lib.history.lua import ADD_TO_INDEX, CLOCK, READ, WRITE
from lib.history.lua_turns import BUSY, NAME

APPEND = """
-- What follows the closing bracket: blanks, or nil where the value does not end like an array of objects.
local tail = size > 0 and call('GETRANGE', chat, -64, -1) or '[]'
local blank = string.match(tail, '}%s*%](%s*)$')
local empty = not blank and size <= 64 and string.match(tail, '^%s*%[%s*%](%s*)$')
-- Valid JSON that ends in }] is an array. What another service wrote may be anything, so its beginning is read as well.
if blank and not ours and not string.find(call('GETRANGE', chat, 0, 63), '^%s*%[%s*{') then blank = nil end

local function append(added)
  if added == '' then return end
  if empty then
    call('SET', chat, '[' .. added .. ']')
  else
    -- Over the closing bracket: the new end is always longer than what it covers.
    call('SETRANGE', chat, size - #blank - 1, ',' .. added .. ']' .. blank)
  end
end
"""

COMMIT = (
    WRITE
    + ADD_TO_INDEX
    + APPEND
    + """
local id, added, turn, muted = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if head ~= '' and held ~= id then return {'lost', now} end
if head == '' then
  if signals > 0 and call('HEXISTS', signal, 'gone:' .. id) == 1 then return {'lost', now} end
  -- The record is gone: this commit arrived before, or the store restarted empty.
  local start = string.match(turn, '^{"id":"[^"]*"')
  for _, entry in ipairs(call('XREVRANGE', turns, '+', '-', 'COUNT', 100)) do
    if string.sub(entry[2][2] or '', 1, #start) == start then return {'ok', now} end
  end
end
if not blank and not empty then return {'corrupt', now} end

-- A turn's number is its entry's id, so finding one by its number costs the same in a session of any length.
local function add_turn(number)
  return redis.pcall('XADD', turns, string.format('%.0f-0', number), 'turn', turn)
end
if index then add_to_index(index, string.sub(chat, 6)) end
local entry = add_turn(entries + 1)
if type(entry) == 'table' then -- refused: somebody deleted or added turns, so they are not numbered 1, 2, 3
  local info = call('XINFO', 'STREAM', turns)
  for place = 1, #info, 2 do
    if info[place] == 'last-generated-id' then entry = add_turn(tonumber(string.match(info[place + 1], '^%d+')) + 1) end
  end
  if type(entry) == 'table' then return entry end
end
append(added)
if muted ~= '' then call('HSET', about, 'muted:' .. muted, '1') end
call('DEL', live)
renew_live = false
if signals > 0 then call('HDEL', signal, 'stop') end
renew()
return {'ok', now}
"""
)

IMPORT = (
    WRITE
    + ADD_TO_INDEX
    + APPEND
    + BUSY
    + NAME
    + """
local id, known_end, added, record, title = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if call('HEXISTS', about, 'import:' .. id) == 1 then return {'ok', now} end -- it arrived before
local reason = busy()
if reason then return {reason, now} end
if not blank and not empty then return {'corrupt', now} end
-- The record names the index of the first imported message, so the history must be the one that was counted.
if (size > 0 and size - #(blank or empty) - 1 or -1) ~= tonumber(known_end) then return {'changed', now} end
if index then add_to_index(index, string.sub(chat, 6)) end
append(added)
call('HSET', about, 'import:' .. id, '{"imported_at":' .. now .. ',' .. record)
name_session(title)
renew()
return {'ok', now}
"""
)

LOAD = (
    READ
    + """
-- Answers {bytes from this offset to that one, stamp, length}. While the stamp stays the same, nothing before the offset has
-- changed. An empty stamp proves nothing.
local lineage = call('HGET', about, 'lineage')
local length = call('STRLEN', chat)
local stamp = ''
if lineage and is_ours() ~= false then
  stamp = lineage
else
  local due = redis.pcall('PEXPIRETIME', chat)
  if type(due) == 'number' and due > 0 then
"""
    + CLOCK
    + """
    -- A SETEX of this very millisecond may be followed by another one.
    if (due - milliseconds) % 1000 > 0 then stamp = string.format('%.0f', due) .. ' ' .. length end
  end
end
return {call('GETRANGE', chat, ARGV[1], ARGV[2]), stamp, length}
"""
)
