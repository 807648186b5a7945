-- Rooms whose anchors are silent. KEYS: since, anchors. ARGV: the time-out in milliseconds, how many at most.
-- Answers false if the shard is not watched, 0 within the first time-out, else the rooms.
local since = redis.call('GET', KEYS[1])
if not since then
  return false
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local timeout = tonumber(ARGV[1])
if now - since < timeout then
  return 0
end
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - timeout, 'LIMIT', 0, ARGV[2])
