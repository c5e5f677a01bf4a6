-- A job and its history. ARGV: project, job. Returns {} or {fields and values, history}.
local job = 'p:' .. ARGV[1] .. ':job:' .. ARGV[2]
local fields = redis.call('HGETALL', job)
if #fields == 0 then return {} end
return { fields, redis.call('LRANGE', job .. ':history', 0, -1) }
