-- A user leaves a room. KEYS: seen, online. ARGV: room, member. Answers 1 if they were in.
if redis.call('ZREM', KEYS[1], ARGV[2]) == 0 then
  return 0
end
if redis.call('HINCRBY', KEYS[2], ARGV[1], -1) <= 0 then
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return 1
