--#include slots
-- What the reaper looks at: jobs that nothing was heard of for too long, and those that wait though there is
-- a slot. ARGV: now, how many at most, jobs of the installation and of a project at once, when to look
-- again at a job that was told to start.
-- Returns {{job fields and values…}, {{job, attempt}…}}.
local jobs = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'sys:jobs', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local fields = redis.call('HGETALL', 'p:' .. project_of(id) .. ':job:' .. id)
  if #fields > 0 then jobs[#jobs + 1] = fields else redis.call('ZREM', 'sys:jobs', id) end
end
local told, called = {}, {}
local free = tonumber(ARGV[3]) - redis.call('SCARD', 'sys:slots')
while #told < free do
  local next = next_waiting(ARGV[4], ARGV[5], called)
  if not next then break end
  told[#told + 1] = next
end
return { jobs, told }
