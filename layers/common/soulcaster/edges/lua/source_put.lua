-- Makes or changes a source. ARGV: project, source id, JSON, "1" when it is polled.
-- Returns 1, or 0 when there is no such project.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return 0 end
redis.call('HSET', p .. 'sources', ARGV[2], ARGV[3])
redis.call(ARGV[4] == '1' and 'SADD' or 'SREM', 'sys:polled', ARGV[2])
return 1
