-- All that a task or the publisher needs of a job. ARGV: project, job, how many items.
-- Returns {} or {job fields and values, cluster fields and values, project JSON, {head…}}.
local p = 'p:' .. ARGV[1] .. ':'
local job = redis.call('HGETALL', p .. 'job:' .. ARGV[2])
if #job == 0 then return {} end
local cl = p .. 'cl:' .. redis.call('HGET', p .. 'job:' .. ARGV[2], 'cluster')
local docs = {}
for _, id in ipairs(redis.call('ZREVRANGE', cl .. ':items', 0, tonumber(ARGV[3]) - 1)) do
  docs[#docs + 1] = redis.call('HGET', p .. 'fb:' .. id, 'head')
end
return { job, redis.call('HGETALL', cl), redis.call('GET', p .. 'project') or '', docs,
  redis.call('ZCARD', cl .. ':items') }
