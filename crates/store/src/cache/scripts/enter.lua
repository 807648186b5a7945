-- A user goes into a room. KEYS: seen, online, anchors, counters of the room, removed.
-- ARGV: room, member, member that the anchor is, views to add, visitors to add, then room and
-- member of a former room of the same shard, or "" and "", then from how many views on counters
-- are raised instead of dropped, and their life in milliseconds.
-- Answers online, whether the anchor is in, pv, uv, mics (nil when not cached), version.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[6] ~= '' and redis.call('ZREM', KEYS[1], ARGV[7]) == 1 then
  if redis.call('HINCRBY', KEYS[2], ARGV[6], -1) <= 0 then
    redis.call('HDEL', KEYS[2], ARGV[6])
  end
end
if redis.call('ZADD', KEYS[1], now, ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
  redis.call('ZREM', KEYS[5], ARGV[2])
end
if ARGV[2] == ARGV[3] then
  redis.call('ZADD', KEYS[3], 'XX', now, ARGV[1])
end
if ARGV[4] ~= '0' then
  -- Whoever counted before this view may not put the result any more.
  redis.call('HSET', KEYS[4], 'version', string.format('%.0f', time[1] * 1000000 + time[2]))
  local pv = redis.call('HGET', KEYS[4], 'pv')
  if pv and tonumber(pv) >= tonumber(ARGV[8]) then
    redis.call('HINCRBY', KEYS[4], 'pv', ARGV[4])
    redis.call('HINCRBY', KEYS[4], 'uv', ARGV[5])
  elseif pv then
    redis.call('HDEL', KEYS[4], 'pv', 'uv', 'mics')
  end
  if redis.call('PTTL', KEYS[4]) < 0 then
    redis.call('PEXPIRE', KEYS[4], ARGV[9])
  end
end
local anchor_in = redis.call('ZSCORE', KEYS[1], ARGV[3]) and 1 or 0
local counters = redis.call('HMGET', KEYS[4], 'pv', 'uv', 'mics', 'version')
return {redis.call('HGET', KEYS[2], ARGV[1]), anchor_in, counters[1], counters[2], counters[3], counters[4]}
