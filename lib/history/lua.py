"""The shared parts of the Redis store's Lua scripts, and the scripts for settings, marks, summaries and clearing.

The scripts for live turns are in lua_turns.py, those for messages in lua_messages.py.

Every write is one script, so it is atomic. Redis does not roll back, so a script makes all its checks (the types of the
keys, whether the value is an array, who owns the live turn) before its first write. A script may run twice, because a
client whose connection broke cannot know whether its last command arrived. The second run adds nothing.

Keys: history, turns, live, about, signal; then those of the index, and the list of the session's owner if the caller
knows it. In a cluster the index is in another slot, so it is written by the scripts in sessions/lua_index.py. The first
argument of a writing script is the time to live in milliseconds. It returns "ok", or a word that says why it refused.

Fields of the signal hash: `stop` (the turn that was asked to stop) and `gone:<id>` (a turn that was cleared, discarded
or replaced; its late writes are refused). Each of our writes gives the history and the about hash the same deadline,
which is never earlier than the one the history has. If the deadlines differ, another service wrote the history and may
have changed any part of it. Our next write then changes the field `lineage` of the about hash, and readers load the
whole history again. A history that another service stored without a deadline keeps none, and so do the other keys.
"""

from __future__ import annotations

READ = """
local call = redis.call
local chat, turns, live, about, signal = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
"""

CLOCK = """
local clock = call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
local milliseconds = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""

LAST_WRITER = """
-- Who set the deadline of the history: we (ours) or another service (foreign). Unknown before Redis 7: both are false.
local ours, foreign = false, false
local deadline = redis.pcall('PEXPIRETIME', chat)
if type(deadline) == 'number' then
  ours = deadline > 0 and deadline == call('PEXPIRETIME', about)
  foreign = not ours
end
"""

WRITE = (
    READ
    + CLOCK
    + LAST_WRITER
    + """
-- Read every key first: a key of the wrong type ends the script here with WRONGTYPE. A live record begins with
-- {"id":"...","beat":seconds,"failed":true or false, so the cost of reading its owner does not grow with the reply.
local head = call('GETRANGE', live, 0, 512)
local held = string.match(head, '^{"id":"([^"]*)"')
local size = call('STRLEN', chat)
local left = call('PTTL', chat) -- -1: another service stored the messages without a deadline; -2: there are none
local entries = call('XLEN', turns)
local kept = call('HMGET', about, 'lineage', 'owner')
local lineage, owner = kept[1], kept[2]
local signals = call('HLEN', signal)
local renew_live = head ~= ''
local index, due_index, gone, names, owned = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local session = string.sub(chat, 6)
-- One millisecond short, so that no later SETEX, not even in the same millisecond, can set the same deadline.
local live_due = milliseconds + ARGV[1] - 1
-- Never shorten the life that the messages have. What belongs to them lives as long as they do.
local due = live_due
if left > 0 then
  due = math.max(due, ours and deadline or foreign and deadline - 1 or milliseconds + left)
end
"""
)

DONE = """
if foreign or not lineage then call('HSET', about, 'lineage', now) end
if renew_live then call('PEXPIREAT', live, string.format('%.0f', live_due)) end
for _, key in ipairs({chat, about, turns, signals > 0 and signal or nil}) do
  if left == -1 then call('PERSIST', key) else call('PEXPIREAT', key, string.format('%.0f', due)) end
end
-- The index is only a help to find sessions, so what is wrong with it stops nothing here.
if index then redis.pcall('ZADD', due_index, 'XX', left == -1 and '+inf' or due / 1000, session) end
return 'ok'
"""
"""The end of every script that writes."""

SAVE_FIELD = WRITE + "call('HSET', about, ARGV[2], ARGV[3])" + DONE

SAVE_SUMMARIES = (
    WRITE
    + """
local id = ARGV[2]
if id ~= '' and held ~= id then return 'lost' end
call('HSET', about, 'summaries', ARGV[3])
"""
    + DONE
)

MARK = (
    WRITE
    + """
call('HDEL', about, 'pinned:' .. ARGV[2], 'muted:' .. ARGV[2])
if ARGV[3] ~= '' then call('HSET', about, ARGV[3] .. ':' .. ARGV[2], '1') end
"""
    + DONE
)

CLEAR = (
    READ
    + """
-- Delete keys of any type, so that a person can clear a session that cannot be read.
local function is(key, kind) return call('TYPE', key)['ok'] == kind end
local late = {}
if is(live, 'string') then late[1] = string.match(call('GETRANGE', live, 0, 512), '^{"id":"([^"]*)"') end
if is(turns, 'stream') then
  -- The owner of the newest turn may have missed the answer to its commit, and may send it again.
  local newest = call('XREVRANGE', turns, '+', '-', 'COUNT', 1)[1]
  late[#late + 1] = newest and string.match(newest[2][2] or '', '^{"id":"([^"]*)"')
end
local owner, share
if is(about, 'hash') then owner, share = call('HGET', about, 'owner'), call('HGET', about, 'share') end
call('DEL', chat, turns, live, about)
if owner then -- the session is empty now, and still its owner's
  call('HSET', about, 'owner', owner, 'share', share or '')
  call('PEXPIRE', about, ARGV[1])
end
if is(signal, 'hash') then call('HDEL', signal, 'stop') else call('DEL', signal) end
for _, id in ipairs(late) do call('HSET', signal, 'gone:' .. id, '1') end
call('PEXPIRE', signal, ARGV[1])
return {'ok', owner or ''}
"""
)
