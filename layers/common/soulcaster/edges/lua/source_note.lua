-- Notes why a source could not be polled. ARGV: project, source id, now, why.
-- A source that is gone is not made again by it.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('HEXISTS', p .. 'sources', ARGV[2]) == 0 then return 0 end
redis.call('HSET', p .. 'source:' .. ARGV[2], 'last_error', ARGV[4], 'last_error_at', ARGV[3])
return 1
