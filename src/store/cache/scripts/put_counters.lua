-- Keeps the counters of a room. KEYS: counters. ARGV: pv, uv, mics, life in milliseconds.
redis.call('HSET', KEYS[1], 'pv', ARGV[1], 'uv', ARGV[2], 'mics', ARGV[3])
return redis.call('PEXPIRE', KEYS[1], ARGV[4])
