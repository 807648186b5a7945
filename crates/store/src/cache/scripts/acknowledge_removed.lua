-- The rows of removed members are written. KEYS: removed. ARGV: members.
-- Answers 0 for each that is not among the removed any more: it came back meanwhile.
local answers = {}
for i, member in ipairs(ARGV) do
  answers[i] = redis.call('ZREM', KEYS[1], member)
end
return answers
