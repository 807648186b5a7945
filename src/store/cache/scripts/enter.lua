-- A user goes into a room. KEYS: seen, online, anchors, counters of the room.
-- ARGV: room, member, member that the anchor is, views to add, visitors to add, then room and
-- member of a former room of the same shard, or "" and "".
-- Answers online, whether the anchor is in, pv, uv, mics (nil when not cached).
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[6] ~= '' and redis.call('ZREM', KEYS[1], ARGV[7]) == 1 then
  if redis.call('HINCRBY', KEYS[2], ARGV[6], -1) <= 0 then
    redis.call('HDEL', KEYS[2], ARGV[6])
  end
end
if redis.call('ZADD', KEYS[1], now, ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
end
if ARGV[2] == ARGV[3] then
  redis.call('ZADD', KEYS[3], 'XX', now, ARGV[1])
end
if redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('HINCRBY', KEYS[4], 'pv', ARGV[4])
  redis.call('HINCRBY', KEYS[4], 'uv', ARGV[5])
end
local anchor_in = redis.call('ZSCORE', KEYS[1], ARGV[3]) and 1 or 0
local counters = redis.call('HMGET', KEYS[4], 'pv', 'uv', 'mics')
return {redis.call('HGET', KEYS[2], ARGV[1]), anchor_in, counters[1], counters[2], counters[3]}
