-- A job, its history and how many items its cluster has. ARGV: project, job.
-- Returns {} or {fields and values, history, items}.
local p = 'p:' .. ARGV[1] .. ':'
local job = p .. 'job:' .. ARGV[2]
local fields = redis.call('HGETALL', job)
if #fields == 0 then return {} end
return { fields, redis.call('LRANGE', job .. ':history', 0, -1),
  redis.call('ZCARD', p .. 'cl:' .. redis.call('HGET', job, 'cluster') .. ':items') }
