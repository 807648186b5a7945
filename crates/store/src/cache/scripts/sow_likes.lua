-- The seed becomes the likes of the room, unless somebody was faster. Likes that an old server
-- counted are raised to it. KEYS: seed, likes, seeded. ARGV: life in milliseconds.
-- Answers 1, or 0 if the seed is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('RENAME', KEYS[1], KEYS[2])
else
  if redis.call('EXISTS', KEYS[3]) == 0 then
    local seed = redis.call('HGETALL', KEYS[1])
    for i = 1, #seed, 2 do
      local counted = redis.call('HGET', KEYS[2], seed[i]) or -1
      if tonumber(counted) < tonumber(seed[i + 1]) then
        redis.call('HSET', KEYS[2], seed[i], seed[i + 1])
      end
    end
    local likes, sum, total = redis.call('HGETALL', KEYS[2]), 0, 0
    for i = 1, #likes, 2 do
      if likes[i] == '_' then
        total = tonumber(likes[i + 1])
      else
        sum = sum + likes[i + 1]
      end
    end
    redis.call('HSET', KEYS[2], '_', string.format('%.0f', math.max(sum, total)))
  end
  redis.call('DEL', KEYS[1])
end
redis.call('PEXPIRE', KEYS[2], ARGV[1])
redis.call('SET', KEYS[3], 1, 'PX', ARGV[1])
return 1
