-- The likes of a room live on. KEYS: likes, seeded, dirty. ARGV: life in milliseconds.
-- Answers 1 if some are not written.
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[1])
end
return redis.call('EXISTS', KEYS[3])
