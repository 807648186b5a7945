-- Likes are written: takes the mark off those that have not changed since.
-- KEYS: likes, dirty. ARGV: users and the counts that were written.
local cleared = 0
for i = 1, #ARGV, 2 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '0') == ARGV[i + 1] then
    cleared = cleared + redis.call('SREM', KEYS[2], ARGV[i])
  end
end
return cleared
