-- KEYS: since. Answers 1 if it is known since when silence counts.
return redis.call('EXISTS', KEYS[1])
