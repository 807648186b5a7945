-- KEYS: seen. Answers how many members there are.
return redis.call('ZCARD', KEYS[1])
