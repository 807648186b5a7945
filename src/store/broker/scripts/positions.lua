-- The present positions of channels.
--
-- KEYS: position and messages of each channel.
-- ARGV: epoch to begin with, life of a position (ms), 1 to begin where nothing is known, run id.
-- Answers epoch and offset of each channel, nothing for one that is not known.
local run = ARGV[4]
local answers = {}
for i = 1, #KEYS, 2 do
  local known = redis.call('HMGET', KEYS[i], 'run', 'epoch', 'offset', 'keep_ms')
  local epoch, offset = known[2], known[3]
  if known[1] ~= run and (known[1] or ARGV[3] == '1') then
    epoch, offset = ARGV[1], 0
    redis.call('HSET', KEYS[i], 'run', run, 'epoch', epoch, 'offset', 0, 'at', 0, 'keep', 0, 'keep_ms', 0)
    redis.call('DEL', KEYS[i + 1])
  end
  if epoch then
    redis.call('PEXPIRE', KEYS[i], math.max(ARGV[2], known[4] or 0))
  end
  answers[i], answers[i + 1] = epoch, tonumber(offset) or false
end
return answers
