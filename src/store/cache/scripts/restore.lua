-- Puts back members that are missing. KEYS: seen, online. ARGV: room and member of each.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 1, #ARGV, 2 do
  if redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i + 1]) == 1 then
    redis.call('HINCRBY', KEYS[2], ARGV[i], 1)
  end
end
return #ARGV / 2
