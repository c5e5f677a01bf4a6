-- A page of what a job's tasks wrote. ARGV: project, job, attempt, after how many of its entries, limit.
-- Returns {} without such a job, else {state, the job's attempt, entries, how many there are}.
local job = 'p:' .. ARGV[1] .. ':job:' .. ARGV[2]
local is = redis.call('HMGET', job, 'state', 'attempt')
if not is[1] then return {} end
local log, after = job .. ':log:' .. ARGV[3], tonumber(ARGV[4])
return { is[1], is[2], redis.call('LRANGE', log, after, after + tonumber(ARGV[5]) - 1),
  redis.call('LLEN', log) }
