-- Members heard after a time and before the present millisecond, ascending, with their times.
-- KEYS: seen. ARGV: the time, how many. Answers also all others of the last millisecond.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local page = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '(' .. string.format('%.0f', now),
  'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #page == 0 or #page < 2 * ARGV[2] then
  return page
end
local last, known = page[#page], 0
while known * 2 < #page and page[#page - known * 2] == last do
  known = known + 1
end
local rest = redis.call('ZRANGEBYSCORE', KEYS[1], last, last, 'WITHSCORES', 'LIMIT', known, -1)
for _, value in ipairs(rest) do
  page[#page + 1] = value
end
return page
