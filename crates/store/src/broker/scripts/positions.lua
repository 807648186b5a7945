-- The present positions of channels.
--
-- KEYS: position and messages of each channel.
-- ARGV: epoch to begin with, life of a position (ms), life of one that begins here and in which nothing was published
--       (ms; 0: none begins), run id.
-- Answers epoch and offset of each channel, nothing for one that is not known.
local run, begins = ARGV[4], ARGV[3] ~= '0'
local answers = {}
for i = 1, #KEYS, 2 do
  local known = redis.call('HMGET', KEYS[i], 'run', 'epoch', 'offset', 'keep_ms', 'idle_ms')
  local epoch, offset, idle = known[2], known[3], known[5]
  if known[1] ~= run and (known[1] or begins) then
    epoch, offset, idle = ARGV[1], 0, begins and ARGV[3] or idle or ARGV[2]
    redis.call('HSET', KEYS[i], 'run', run, 'epoch', epoch, 'offset', 0, 'at', 0, 'keep', 0, 'keep_ms', 0, 'idle_ms', idle)
    redis.call('DEL', KEYS[i + 1])
  end
  if epoch then
    local is_unused = tonumber(offset) == 0 and idle
    redis.call('PEXPIRE', KEYS[i], is_unused and idle or math.max(ARGV[2], known[4] or 0))
  end
  answers[i], answers[i + 1] = epoch, tonumber(offset) or false
end
return answers
