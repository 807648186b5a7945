-- Removes the silent. KEYS: since, seen, online, removed.
-- ARGV: the time-out in milliseconds, how many at most, 1 to begin with those that were removed before and are
-- not acknowledged.
-- Answers false if the shard is not watched, 0 within the first time-out, else the removed; those of before at
-- any time.
local since = redis.call('GET', KEYS[1])
if not since then
  return false
end
if ARGV[3] == '1' then
  local before = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', '+inf', 'LIMIT', 0, ARGV[2])
  if #before > 0 then
    return before
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local timeout = tonumber(ARGV[1])
if now - since < timeout then
  return 0
end
local found = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - timeout, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #found == 0 then
  return found
end
local gone, left = {}, {}
for i = 1, #found, 2 do
  local member = found[i]
  gone[#gone + 1] = member
  redis.call('ZADD', KEYS[4], found[i + 1], member)
  local room = string.sub(member, 1, string.find(member, ':', 1, true) - 1)
  left[room] = (left[room] or 0) + 1
end
-- The longest silent are the lowest ranks.
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, #gone - 1)
for room, count in pairs(left) do
  if redis.call('HINCRBY', KEYS[3], room, -count) <= 0 then
    redis.call('HDEL', KEYS[3], room)
  end
end
return gone
