-- A project's counters. ARGV: project. Returns {} or {fields and values, pending}.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
return { redis.call('HGETALL', p .. 'counts'), redis.call('ZCARD', p .. 'pending') }
