-- Drops the counters of a room; whoever is counting may not put the result any more.
-- KEYS: counters. ARGV: life in milliseconds.
local time = redis.call('TIME')
redis.call('HDEL', KEYS[1], 'pv', 'uv', 'mics')
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', time[1] * 1000000 + time[2]))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
