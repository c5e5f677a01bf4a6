--#include audit
--#include status
--#include trend
-- A person says what a cluster is: open, resolved or ignored. Saying it again changes nothing.
-- ARGV: project, cluster, status, who, now, today, days of the trend. Returns {} without such a
-- cluster, else {whether it could be done, cluster fields and values, reports by day}: what was
-- merged into another cluster has no status of its own.
local p = 'p:' .. ARGV[1] .. ':'
local cl = p .. 'cl:' .. ARGV[2]
local was = redis.call('HGET', cl, 'status')
if not was then return {} end

-- The pull request that the cluster's newest finished job left, or ''.
local function newest_pull_request()
  local jobs = redis.call('LRANGE', cl .. ':jobs', 0, -1)
  for i = #jobs, 1, -1 do
    local job = redis.call('HMGET', p .. 'job:' .. jobs[i], 'state', 'pr_url')
    if job[1] == 'pr_open' then return job[2] or '' end
  end
  return ''
end

set_status(p, ARGV[2], ARGV[3], ARGV[4], newest_pull_request(), ARGV[5])
if was ~= 'merged' and was ~= ARGV[3] then
  audit(p, 'changed status', ARGV[2], { status = was }, { status = ARGV[3] }, ARGV[5])
end
return { was == 'merged' and 0 or 1, redis.call('HGETALL', cl),
  trend(cl .. ':days', tonumber(ARGV[6]), tonumber(ARGV[7])) }
