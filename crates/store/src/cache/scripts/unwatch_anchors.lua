-- Lives have ended. KEYS: anchors. ARGV: rooms.
local removed = 0
for _, room in ipairs(ARGV) do
  removed = removed + redis.call('ZREM', KEYS[1], room)
end
return removed
