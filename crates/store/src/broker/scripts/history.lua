-- The present position of a channel, and kept messages.
--
-- KEYS: position, messages.
-- ARGV: epoch to begin with, life of the position (ms), epoch and offset after which messages are
--       wanted (empty and 0: the last ones), how many at most, run id.
-- Answers epoch, offset, and the messages, oldest first.
local position, messages, run = KEYS[1], KEYS[2], ARGV[6]
local known = redis.call('HMGET', position, 'run', 'epoch', 'offset', 'at', 'keep', 'keep_ms')
if known[1] ~= run then
  redis.call('HSET', position, 'run', run, 'epoch', ARGV[1], 'offset', 0, 'at', 0, 'keep', 0, 'keep_ms', 0)
  redis.call('PEXPIRE', position, ARGV[2])
  redis.call('DEL', messages)
  return { ARGV[1], 0, {} }
end
local epoch, offset, keep_ms = known[2], tonumber(known[3]), tonumber(known[6])
redis.call('PEXPIRE', position, math.max(ARGV[2], keep_ms))

local time = redis.call('TIME')
local old = math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(known[4])) - keep_ms
local function is_gone(number)
  local message = redis.call('HGET', messages, number)
  return not message or struct.unpack('>I8', message, 17) <= old
end

local first = math.max(offset - tonumber(known[5]), 0) + 1
if ARGV[3] == epoch then
  first = math.max(first, tonumber(ARGV[4]) + 1)
end
-- Times never fall: all that are gone come before all that are there.
if first <= offset and is_gone(first) then
  local gone, there = first, offset + 1
  while there - gone > 1 do
    local middle = math.floor((gone + there) / 2)
    if is_gone(middle) then gone = middle else there = middle end
  end
  first = there
end

local last, limit = offset, tonumber(ARGV[5])
if ARGV[3] == epoch then
  last = math.min(last, first + limit - 1)
else
  first = math.max(first, last - limit + 1)
end
local found = {}
for number = first, last do
  local message = redis.call('HGET', messages, number)
  if message then found[#found + 1] = message end
end
return { epoch, offset, found }
