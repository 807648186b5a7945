-- Marks likes that an old server counted as not written. KEYS: likes, dirty.
-- ARGV: life in milliseconds, then users.
local marked = 0
for i = 2, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    marked = marked + redis.call('SADD', KEYS[2], ARGV[i])
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return marked
