-- Users whose likes are not written, and their counts, 0 for those that are gone.
-- KEYS: likes, dirty. ARGV: how many.
local users = redis.call('SRANDMEMBER', KEYS[2], ARGV[1])
local answer = {}
for first = 1, #users, 1000 do
  local last = math.min(first + 999, #users)
  local counts = redis.call('HMGET', KEYS[1], unpack(users, first, last))
  for i = first, last do
    answer[#answer + 1] = users[i]
    answer[#answer + 1] = counts[i - first + 1] or '0'
  end
end
return answer
