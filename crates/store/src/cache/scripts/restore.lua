-- Puts back members that are missing, but not those whose removal is under way. KEYS: seen, online, removed.
-- ARGV: room and member of each.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[3], ARGV[i + 1]) and redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i + 1]) == 1 then
    redis.call('HINCRBY', KEYS[2], ARGV[i], 1)
  end
end
return #ARGV / 2
