-- A user is about to like: puts the room among those with likes to write, if the user is in it.
-- KEYS: seen, liked. ARGV: member, room, 1 if it is known that they are in.
-- Answers 1, or 0 for one who is not in.
if ARGV[3] ~= '1' and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[2])
return 1
