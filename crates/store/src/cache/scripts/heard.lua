-- Heartbeats. KEYS: for each, seen and anchors of its shard. ARGV: for each, the member, and the
-- room if it is its anchor who was heard, else "". Answers 1 for each member that is in its room.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = {}
for i = 1, #KEYS, 2 do
  if redis.call('ZSCORE', KEYS[i], ARGV[i]) then
    redis.call('ZADD', KEYS[i], now, ARGV[i])
    if ARGV[i + 1] ~= '' then
      redis.call('ZADD', KEYS[i + 1], 'XX', now, ARGV[i + 1])
    end
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 0
  end
end
return answers
