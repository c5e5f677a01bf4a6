-- Jobs that nothing was heard of for too long. ARGV: now, how many at most.
-- Returns {job fields and values…}.
local jobs = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'sys:jobs', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local project = id:match('^job_([a-z0-9-]+)_')
  local fields = redis.call('HGETALL', 'p:' .. project .. ':job:' .. id)
  if #fields > 0 then jobs[#jobs + 1] = fields else redis.call('ZREM', 'sys:jobs', id) end
end
return jobs
