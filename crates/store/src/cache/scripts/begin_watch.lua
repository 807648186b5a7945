-- Silence counts from now on. KEYS: since.
local time = redis.call('TIME')
return redis.call('SET', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000))
