-- KEYS: seen. ARGV: members. Answers 1 for each that is in its room.
local answers = {}
for i, member in ipairs(ARGV) do
  answers[i] = redis.call('ZSCORE', KEYS[1], member) and 1 or 0
end
return answers
