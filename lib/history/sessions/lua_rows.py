"""The Lua scripts that look up many sessions at once. They write nothing. In a cluster they cannot be used, because the
sessions are in several slots.
"""

from __future__ import annotations

from lib.history.lua import CLOCK

ROWS = (
    """
local call = redis.call
"""
    + CLOCK
    + """
-- What cannot be read, such as a key of another type, counts as missing.
local function ask(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return false end
  return answer
end
local fields = {unpack(ARGV, 2)}
local rows = {}
for place = 1, #KEYS, 4 do
  local chat, turns, live, about = KEYS[place], KEYS[place + 1], KEYS[place + 2], KEYS[place + 3]
  local left, live_left = call('PTTL', chat), call('PTTL', live)
  local row = false
  if left ~= -2 or live_left ~= -2 then
    local head = live_left ~= -2 and ask('GETRANGE', live, 0, 512)
    row = {left, live_left, ask('STRLEN', chat), ask('XLEN', turns), head, ask('HMGET', about, unpack(fields))}
    if ARGV[1] ~= '' then
      local size = false
      for _, key in ipairs({chat, turns, live, about}) do
        local used = ask('MEMORY', 'USAGE', key)
        if used then size = (size or 0) + used end
      end
      row[7] = size
    end
  end
  rows[#rows + 1] = row
end
return {now, rows}
"""
)
"""Keys: history, turns, live and about of each session. Arguments: "1" to ask for sizes, then fields of the about hash.

Returns the time, and for each session None, or: PTTL of messages and of the live record, length of the messages, number
of turns, the beginning of the live record, the fields, and bytes of memory."""

TEXTS = """
local texts = {}
for place, key in ipairs(KEYS) do
  local text = redis.pcall('GETRANGE', key, 0, ARGV[1] - 1)
  texts[place] = type(text) == 'string' and text or ''
end
return texts
"""
"""The beginning of each key's string. Argument: how many bytes at most."""
