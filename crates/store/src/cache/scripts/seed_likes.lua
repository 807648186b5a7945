-- Collects the likes of a room beside those that are counted. KEYS: seed.
-- ARGV: life in milliseconds, 1 to begin it, then users and their counts.
-- Answers 1, or 0 if what was begun is gone.
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], '_', 0)
elseif redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
for i = 3, #ARGV, 2 do
  local before = redis.call('HGET', KEYS[1], ARGV[i]) or 0
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('HINCRBY', KEYS[1], '_', ARGV[i + 1] - before)
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
