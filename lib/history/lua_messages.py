"""The Lua scripts that load, commit, import and restore messages. Shared parts are in lua.py."""

from __future__ import annotations

from lib.history.lua import LAST_WRITER, READ, WRITE
from lib.history.lua_turns import BUSY, NAME
from lib.history.sessions.lua_index import ADD_TO_INDEX, LISTED
from lib.history.sessions.lua_sums import ADD_SUMS

FIND_END = """
-- blank: the whitespace after the closing bracket, or nil if the value does not end like an array of objects.
-- empty: the same for an empty array or no value.
local blank, empty
-- The first byte that is no blank, from this offset on, going back (-1) or forward (1): its offset and the byte.
local function solid(at, step)
  while at >= 0 and at < size do
    local other = math.max(0, at + step * 4095)
    local first = math.min(at, other)
    local piece = call('GETRANGE', chat, first, math.max(at, other))
    local place = string.find(piece, step < 0 and '%S%s*$' or '%S')
    if place then return first + place - 1, string.sub(piece, place, place) end
    at = at + step * 4096
  end
  return -1, ''
end
if size == 0 then
  empty = ''
else
  local tail = call('GETRANGE', chat, -64, -1)
  blank = string.match(tail, '}%s*%](%s*)$')
  -- Valid JSON that ends in }] is an array. Another service may have written anything, so check the beginning too.
  if blank and not ours and not string.find(call('GETRANGE', chat, 0, 63), '^%s*%[%s*{') then blank = nil end
  if not blank then
    -- An empty array, or one with much whitespace around or inside its brackets; or no array at all.
    local close, last = solid(size - 1, -1)
    local open, first = solid(0, 1)
    if last == ']' and first == '[' and open < close then
      local _, before = solid(close - 1, -1)
      local after, second = solid(open + 1, 1)
      local rest = call('GETRANGE', chat, close + 1, -1)
      if after == close then empty = rest elseif before == '}' and second == '{' then blank = rest end
    end
  end
end
"""

APPEND = """
if empty and added ~= '' then
  call('SET', chat, '[' .. added .. ']')
elseif added ~= '' then
  -- Overwrite the closing bracket. The new end is always longer than the bytes it replaces.
  call('SETRANGE', chat, size - #blank - 1, ',' .. added .. ']' .. blank)
end
"""

COMMIT = (
    WRITE
    + """
local id, added, turn, muted, sum, known_end, known = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local title = ''
if held ~= id then
  if head ~= '' or (signals > 0 and call('HEXISTS', signal, 'gone:' .. id) == 1) then return 'lost' end
  -- There is no live record: this commit arrived before, or the store restarted empty.
  local start = string.match(turn, '^{"id":"[^"]*"')
  for _, entry in ipairs(call('XREVRANGE', turns, '+', '-', 'COUNT', 100)) do
    if string.sub(entry[2][2] or '', 1, #start) == start then return 'ok' end
  end
end
"""
    + FIND_END
    + "if not blank and not empty then return 'corrupt' end"
    + ADD_TO_INDEX
    + """
-- The entry's id is the turn's number, so finding a turn by number costs the same however long the session is.
local entry = redis.pcall('XADD', turns, string.format('%.0f-0', entries + 1), 'turn', turn)
if type(entry) == 'table' then -- refused: somebody deleted or added turns, so the numbers have gaps
  local info = call('XINFO', 'STREAM', turns)
  for place = 1, #info, 2 do
    if info[place] == 'last-generated-id' then
      call('XADD', turns, string.format('%.0f-0', string.match(info[place + 1], '^%d+') + 1), 'turn', turn)
    end
  end
end
"""
    + APPEND
    + ADD_SUMS
    + """
if muted ~= '' then call('HSET', about, 'muted:' .. muted, '1') end
call('DEL', live)
renew_live = false
if signals > 0 then call('HDEL', signal, 'stop') end
"""
    + LISTED
)

IMPORT = (
    WRITE
    + BUSY
    + """
local id, known_end, added, record, title = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local sum, known = ARGV[7], ARGV[8]
if call('HEXISTS', about, 'import:' .. id) == 1 then return 'ok' end -- this import arrived before
if busy then return busy end
"""
    + FIND_END
    + """
if not blank and not empty then return 'corrupt' end
-- The record holds the index of the first imported message, so the history must not have changed since it was counted.
if (size == 0 and -1 or size - #(blank or empty) - 1) ~= tonumber(known_end) then return 'changed' end
"""
    + ADD_TO_INDEX
    + APPEND
    + ADD_SUMS
    + """
call('HSET', about, 'import:' .. id, '{"imported_at":' .. now .. ',' .. record)
"""
    + NAME
    + LISTED
)

RESTORE = (
    WRITE
    + BUSY
    + """
local id, value, record, title, turns_from = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6] + 0
if call('HEXISTS', about, 'import:' .. id) == 1 then return 'ok' end -- this recording arrived before
if busy then return busy end
if call('EXISTS', chat, turns) > 0 then return 'occupied' end
"""
    + ADD_TO_INDEX
    + """
call('SET', chat, value)
for place = 7, turns_from - 1, 2 do call('HSET', about, ARGV[place], ARGV[place + 1]) end
for place = turns_from, #ARGV, 2 do call('XADD', turns, ARGV[place] .. '-0', 'turn', ARGV[place + 1]) end
call('HSET', about, 'import:' .. id, '{"imported_at":' .. now .. ',' .. record)
"""
    + NAME
    + LISTED
)
"""Arguments from the seventh on are pairs: first the fields of the about hash with their values, then, from the place
that the sixth argument names, the numbers of the turns with their records, in order."""

LOAD = (
    READ
    + LAST_WRITER
    + """
-- Returns {bytes from one offset to another, stamp, length of the value}. As long as the stamp stays the same, nothing
-- before the first offset has changed. An empty stamp proves nothing.
local lineage = call('HGET', about, 'lineage')
local length = call('STRLEN', chat)
local stamp = ''
if lineage and not foreign then
  stamp = lineage
elseif foreign and deadline > 0 then
  local clock = call('TIME')
  -- A SETEX in the current millisecond may be followed by another with the same deadline.
  if (deadline - clock[1] * 1000 - math.floor(clock[2] / 1000)) % 1000 > 0 then
    stamp = string.format('%.0f', deadline) .. ' ' .. length
  end
end
return {call('GETRANGE', chat, ARGV[1], ARGV[2]), stamp, length}
"""
)
