-- Rooms that may have likes to write, with when they were last liked, the longest ago first.
-- KEYS: liked. ARGV: how many.
return redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
