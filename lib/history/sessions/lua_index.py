"""The Lua that keeps the index of sessions: by last activity, by deadline, by owner, pinned ones, and those that are gone.

A session is taken out of the index only after somebody looked whether it still exists: its deadline may have been put
off by another service. Scripts of the index cannot look, because in a cluster the session's keys are in another slot.
So a script that adds a new session returns some that are overdue, the caller looks, and TIDY removes those that have
expired. That also keeps the index from growing: every new session has up to 50 old ones removed.

Keys: those of the index (keys.py), then the pinned sessions, then the owner's sessions and pinned ones if there is an
owner. The first arguments are the time to live of sessions in milliseconds, the session's id, and its owner or "".
"""

from __future__ import annotations

from lib.history.lua import CLOCK, DONE

MOST_GONE = 10_000
"""Sessions of which is remembered what became of them."""
MOST_MEMBERS = 1_000
"""Pinned sessions, and forks of one session, that are kept."""

_KEEP = """
local try = redis.pcall -- the index is only a help, so what is wrong with a key of it stops nothing
local month = 30 * 86400
-- The keys of the index live a month longer than the sessions in them.
local function keep(ends, ...)
  local wanted = (math.min(tonumber(ends) or math.huge, now + 3e9) - now + month) * 1000
  local left = call('PTTL', (...))
  if left < wanted then
    for _, key in ipairs({...}) do call('PEXPIRE', key, string.format('%.0f', wanted + 86400000)) end
  end
end
"""

_ENTER = (
    _KEEP
    + """
local overdue = {}
local function enter(session, ends, owner, title)
  -- The one write that an index of the wrong type refuses comes first.
  local is_new = call('ZADD', index, now, session) == 1
  try('ZADD', due_index, ends, session)
  if is_new then
    try('HSET', names, session, owner .. ' ' .. title)
    try('ZREM', gone, 'deleted ' .. session, 'expired ' .. session)
    if call('ZCARD', index) > (tonumber(try('ZCARD', due_index)) or math.huge) then
      -- Happens once: an earlier version kept no deadlines.
      local known = call('ZRANGE', index, 0, -1, 'WITHSCORES')
      for place = 1, #known, 2 do try('ZADD', due_index, 'NX', known[place + 1] + ARGV[1] / 1000, known[place]) end
    end
    local found = try('ZRANGEBYSCORE', due_index, '-inf', now, 'LIMIT', 0, 50)
    if not found.err then overdue = found end
  end
  keep(ends, due_index, index, names, gone)
  if owned and owner ~= '' and owned == '{chats}:of:' .. owner then
    try('ZADD', owned, now, session)
    keep(ends, owned)
  end
end
"""
)

ADD_TO_INDEX = (
    _ENTER
    + """
local listed = true
if index then
  local known = call('HGET', about, 'title')
  enter(session, left == -1 and '+inf' or due / 1000, owner or '', known or title)
end
"""
)
"""For the scripts that move a session to the top of the list: after the last reason to refuse. Needs `title`."""

LISTED = DONE.replace(
    "return 'ok'",
    """
-- The caller adds the session to its owner's list, and looks up the sessions that may have expired.
if owner and (not owned or owned ~= '{chats}:of:' .. owner) or #overdue > 0 then
  return {'ok', owner or '', unpack(overdue)}
end
return 'ok'
""",
)
"""The end of those scripts. They return "ok", or "ok" with the owner, or "", and sessions that are overdue."""

_INDEX = (
    """
local call = redis.call
local index, due_index, gone, names, pinned, owned, pinned_by = unpack(KEYS)
local session = ARGV[2]
"""
    + CLOCK
)

TOUCH = (
    _INDEX
    + _ENTER
    + """
-- When the session ends is not known here; it may have a later deadline than the usual one.
local ends = math.max(now + ARGV[1] / 1000, tonumber(call('ZSCORE', due_index, session) or 0))
enter(session, ends == math.huge and '+inf' or ends, ARGV[3], ARGV[4])
return overdue
"""
)
"""Moves a session to the top of an index that is in another slot. Further arguments: owner, title; both may be empty.
Returns sessions that are overdue."""

_FORGET = (
    _KEEP
    + f"local most_gone = {MOST_GONE}"
    + """
-- Remembers what became of a session, and forgets the oldest.
local function remember(how, at)
  call('ZREM', index, session)
  call('ZREM', due_index, session)
  call('ZREM', pinned, session)
  if owned then call('ZREM', owned, session) end
  if pinned_by then call('ZREM', pinned_by, session) end
  call('ZADD', gone, at, how .. ' ' .. session)
  local old = call('ZRANGEBYSCORE', gone, '-inf', now - month, 'LIMIT', 0, 200)
  local many = call('ZCARD', gone) - most_gone
  if many > 0 then
    for _, member in ipairs(call('ZRANGE', gone, 0, math.min(many, 200) - 1)) do old[#old + 1] = member end
  end
  for _, member in ipairs(old) do
    local other = string.match(member, ' (.*)')
    call('ZREM', gone, member)
    if not call('ZSCORE', due_index, other) then call('HDEL', names, other) end
  end
  keep(now, gone, names)
end
"""
)

TIDY = (
    _INDEX
    + _FORGET
    + """
for place = 2, #ARGV, 2 do
  session, owned, pinned_by = ARGV[place], KEYS[place + 4], KEYS[place + 5]
  local ends, left = tonumber(call('ZSCORE', due_index, session) or math.huge), tonumber(ARGV[place + 1])
  if ends > now + 0 then -- it was written meanwhile
  elseif left == -2 then
    remember('expired', ends)
  else
    call('ZADD', due_index, left == -1 and '+inf' or now + left / 1000, session)
  end
end
return 'ok'
"""
)
"""Takes sessions that were overdue out of the index, or corrects their deadlines. Keys after the first five: the two
lists of each one's owner. Arguments: time to live, then each session's id and what PTTL said of it."""

REMOVE = (
    _INDEX
    + _FORGET
    + """
local known = call('ZREM', index, session)
if known == 1 or ARGV[4] ~= '' then
  call('ZREM', gone, 'expired ' .. session)
  remember('deleted', now)
  if ARGV[4] ~= '' then call('HSET', names, session, ARGV[3] .. ' ' .. ARGV[5]) end
end
return 'ok'
"""
)
"""Takes out a session that was deleted. Further arguments: "1" if it surely existed, its title."""

PUT_BACK = (
    _INDEX
    + _KEEP
    + """
local owner, activity, ends, title = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
call('ZREM', gone, 'deleted ' .. session)
if activity ~= '' then
  call('ZADD', index, activity, session)
  call('ZADD', due_index, ends, session)
  call('HSET', names, session, owner .. ' ' .. title)
  if owned then call('ZADD', owned, activity, session) end
  keep(ends, due_index, index, names, gone)
end
if ARGV[7] ~= '' then
  call('ZADD', pinned, now, session)
  if pinned_by then call('ZADD', pinned_by, now, session) end
end
return 'ok'
"""
)
"""Puts a session back that was deleted. Further arguments: last activity (or "": it was not in the index), deadline,
title, "1" if it is pinned."""

NAME_AGAIN = (
    _INDEX
    + _KEEP
    + """
local activity = call('ZSCORE', index, session)
if not activity then return 'ok' end
local owner, title = string.match(call('HGET', names, session) or ' ', '^(%S*) (.*)$')
if ARGV[3] ~= '' then owner = ARGV[3] end
if ARGV[4] ~= '' then title = ARGV[4] end
call('HSET', names, session, (owner or '') .. ' ' .. (title or ''))
if owned then
  call('ZADD', owned, activity, session)
  keep(call('ZSCORE', due_index, session), owned)
end
if pinned_by and call('ZSCORE', pinned, session) then call('ZADD', pinned_by, now, session) end
return 'ok'
"""
)
"""Notes a new owner or title in the index. Further argument: the title; "" leaves what there is, as does no owner."""

SET_DUE = (
    _INDEX
    + _KEEP
    + """
call('ZADD', due_index, 'XX', ARGV[4], session)
keep(ARGV[4], due_index, index, names)
if owned then keep(ARGV[4], owned) end
return 'ok'
"""
)
"""Notes a new deadline, if the index knows the session. Further argument: seconds since the epoch, or +inf."""

SET_MEMBER = (
    """
local clock = redis.call('TIME')
for _, key in ipairs(KEYS) do
  if ARGV[2] == '' then
    redis.call('ZREM', key, ARGV[1])
  else
    redis.call('ZADD', key, 'NX', clock[1] .. '.' .. string.format('%06d', clock[2]), ARGV[1])
    redis.call('ZREMRANGEBYRANK', key, 0, -ARGV[3] - 1)
    redis.call('EXPIRE', key, 366 * 86400)
  end
end
return 'ok'
"""
)
"""Puts a member into sorted sets, by the time, or takes it out. Keys: the sets. Arguments: member, "1" or "", how many
members are kept at most."""

LOOK = (
    _INDEX
    + """
return {
  now,
  call('ZSCORE', gone, 'deleted ' .. session) or '',
  call('ZSCORE', due_index, session) or '',
  call('ZSCORE', gone, 'expired ' .. session) or '',
  call('ZSCORE', index, session) or '',
  call('HGET', names, session) or '',
}
"""
)
"""What the index knows of a session: the time, when it was deleted, its deadline, when it expired, its last activity, and
its owner and title."""
