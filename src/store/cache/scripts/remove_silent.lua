-- Removes the silent. KEYS: since, then the sorted set, then online if the set holds members.
-- ARGV: the time-out in milliseconds, how many to remove at most.
-- Answers false if the shard is not watched, 0 within the first time-out, else the removed.
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
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - timeout, 'LIMIT', 0, ARGV[2])
if #gone == 0 then
  return gone
end
-- The longest silent are the lowest ranks.
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, #gone - 1)
if KEYS[3] then
  local left = {}
  for _, member in ipairs(gone) do
    local room = string.sub(member, 1, string.find(member, ':', 1, true) - 1)
    left[room] = (left[room] or 0) + 1
  end
  for room, count in pairs(left) do
    if redis.call('HINCRBY', KEYS[3], room, -count) <= 0 then
      redis.call('HDEL', KEYS[3], room)
    end
  end
end
return gone
