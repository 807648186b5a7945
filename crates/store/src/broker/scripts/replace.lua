-- Puts another body in the place of a kept message.
--
-- KEYS: position, messages.
-- ARGV: epoch, offset, body, run id.
-- Answers 1, or 0 if the message is not kept.
local known = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'at', 'keep_ms')
if known[1] ~= ARGV[4] or known[2] ~= ARGV[1] then return 0 end
local message = redis.call('HGET', KEYS[2], ARGV[2])
if not message then return 0 end
local time = redis.call('TIME')
local now = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(known[3]))
if struct.unpack('>I8', message, 17) <= now - known[4] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], string.sub(message, 1, 24) .. ARGV[3])
return 1
