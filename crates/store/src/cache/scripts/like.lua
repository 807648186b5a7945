-- Counts likes of a user, and marks them as not written. KEYS: likes, seeded, dirty.
-- ARGV: user, count, life in milliseconds. Answers the user's count and the room's; false if the
-- room was not seeded from the database, or its likes are gone since.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('EXISTS', KEYS[2]) == 0 then
  return false
end
local mine = redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
local total = redis.call('HINCRBY', KEYS[1], '_', ARGV[2])
redis.call('SADD', KEYS[3], ARGV[1])
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[3])
end
return {mine, total}
