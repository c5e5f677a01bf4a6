-- Keeps what was measured of an embedding model, for all projects. ARGV: its space, text. Returns what
-- was kept before, '' for nothing.
local key = 'sys:model:' .. ARGV[1]
local before = redis.call('GET', key)
redis.call('SET', key, ARGV[2])
return before or ''
