-- States of rooms of one shard. KEYS: seen, online, then the counters of each room. ARGV: for
-- each room, the room and the member that its anchor is.
-- Answers six values for each: online, whether the anchor is in, pv, uv, mics, version.
local answers = {}
for room = 1, #ARGV / 2 do
  local at = (room - 1) * 6
  local counters = redis.call('HMGET', KEYS[2 + room], 'pv', 'uv', 'mics', 'version')
  answers[at + 1] = redis.call('HGET', KEYS[2], ARGV[room * 2 - 1])
  answers[at + 2] = redis.call('ZSCORE', KEYS[1], ARGV[room * 2]) and 1 or 0
  answers[at + 3] = counters[1]
  answers[at + 4] = counters[2]
  answers[at + 5] = counters[3]
  answers[at + 6] = counters[4]
end
return answers
