-- Publishes a message: its place, a copy for those who come back, and delivery, in one step.
--
-- KEYS: position, messages, channel, and the pause of the user if there is to be one.
-- ARGV: body, epoch to begin with, messages to keep, their life (ms), life of the position (ms),
--       messages a second (-1: any number), pause of the user (ms), PUBLISH or SPUBLISH, run id.
-- Answers epoch, offset and number of receivers; or after how many ms to try again.
local position, messages = KEYS[1], KEYS[2]
local keep, limit, run = tonumber(ARGV[3]), tonumber(ARGV[6]), ARGV[9]
local time = redis.call('TIME')
local ms = math.floor(time[2] / 1000)
local known = redis.call('HMGET', position, 'run', 'epoch', 'offset', 'at', 'keep', 'keep_ms', 'second', 'count')

local count = known[7] == time[1] and tonumber(known[8]) or 0
if limit >= 0 and count >= limit then
  return 1000 - ms
end
if KEYS[4] and not redis.call('SET', KEYS[4], '', 'NX', 'PX', ARGV[7]) then
  return math.max(redis.call('PTTL', KEYS[4]), 1)
end

local epoch, offset, at, kept = known[2], tonumber(known[3]), tonumber(known[4]), tonumber(known[5])
local is_new = known[1] ~= run
if is_new then
  epoch, offset, at, kept = ARGV[2], 0, 0, 0
  redis.call('DEL', messages)
end
offset = offset + 1
at = math.max(at, time[1] * 1000 + ms)
redis.call('HSET', position, 'offset', offset, 'at', at, 'second', time[1], 'count', count + 1)
if is_new or known[5] ~= ARGV[3] or known[6] ~= ARGV[4] then
  redis.call('HSET', position, 'run', run, 'epoch', epoch, 'keep', ARGV[3], 'keep_ms', ARGV[4])
end
redis.call('PEXPIRE', position, ARGV[5])

local message = epoch .. struct.pack('>I8I8', offset, at) .. ARGV[1]
if keep > 0 then
  redis.call('HSET', messages, offset, message)
  -- More than one only when fewer are kept than before.
  for old = offset - math.max(kept, keep), offset - keep do
    redis.call('HDEL', messages, old)
  end
  redis.call('PEXPIRE', messages, ARGV[4])
elseif kept > 0 then
  redis.call('DEL', messages)
end
return { epoch, offset, redis.call(ARGV[8], KEYS[3], message) }
