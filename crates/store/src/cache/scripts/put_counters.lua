-- Keeps the counters of rooms of one shard, of each unless its version has changed.
-- KEYS: counters of each. ARGV: life in milliseconds, then for each pv, uv, mics, version.
local kept = 0
for i, key in ipairs(KEYS) do
  local at = i * 4 - 2
  if (redis.call('HGET', key, 'version') or '0') == ARGV[at + 3] then
    redis.call('HSET', key, 'pv', ARGV[at], 'uv', ARGV[at + 1], 'mics', ARGV[at + 2])
    redis.call('PEXPIRE', key, ARGV[1])
    kept = kept + 1
  end
end
return kept
