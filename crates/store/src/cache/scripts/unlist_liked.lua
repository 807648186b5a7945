-- Rooms have nothing to write: takes off those not liked since. KEYS: liked.
-- ARGV: how long in milliseconds a room stays at least, then rooms and when they were last liked.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local removed = 0
for i = 2, #ARGV, 2 do
  local at = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or -1)
  if at == tonumber(ARGV[i + 1]) and now - at > tonumber(ARGV[1]) then
    removed = removed + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return removed
