"""The Lua that adds a turn or an import to the sums of a session; see sums.py for what they are."""

from __future__ import annotations

ADD_SUMS = """
-- `sum` is what to add, as JSON; `size` the length of the messages before. The caller has read `known` messages, the
-- last of which ends at `known_end`. Turns of an earlier version are not in any sums, so their session gets none.
local kept_sums = call('HGET', about, 'sums')
if kept_sums or entries == 0 then
  local read, sums = pcall(cjson.decode, kept_sums or '{}')
  if not read or type(sums) ~= 'table' then sums = {} end
  if not kept_sums and size > 0 and not lineage then sums.service = true end
  if (tonumber(sums.size) or 0) ~= size then -- another service changed the messages
    local end_now = size == 0 and -1 or size - #(blank or empty) - 1
    sums.messages = end_now == tonumber(known_end) and tonumber(known) or nil
  end
  local counted = sums.messages or size == 0
  for name, value in pairs(cjson.decode(sum)) do
    if name == 'usage' then
      if type(sums.usage) ~= 'table' then sums.usage = {} end
      for model, counts in pairs(value) do
        local before = type(sums.usage[model]) == 'table' and sums.usage[model] or {}
        for place, count in ipairs(counts) do counts[place] = count + (tonumber(before[place]) or 0) end
        sums.usage[model] = counts
      end
    elseif type(value) == 'table' then
      sums[name] = value
    elseif name ~= 'messages' or counted then
      sums[name] = (tonumber(sums[name]) or 0) + value
    end
  end
  sums.size = call('STRLEN', chat)
  call('HSET', about, 'sums', cjson.encode(sums))
end
"""
