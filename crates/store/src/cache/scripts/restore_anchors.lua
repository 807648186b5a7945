-- Puts back watched anchors that are missing. KEYS: anchors. ARGV: rooms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, room in ipairs(ARGV) do
  redis.call('ZADD', KEYS[1], 'NX', now, room)
end
return #ARGV
