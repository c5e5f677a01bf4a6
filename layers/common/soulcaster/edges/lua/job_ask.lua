--#include audit
--#include spend
-- Asks for a fix of a cluster; while one is live, asking again joins it. What it may cost is set aside
-- for the day before anything starts.
-- ARGV: project, cluster, new job id, now, due, asked by, day, whether to ask in spite of an open pull
-- request ('1'), whether to do without a plan ('1'), JSON object of the limits' defaults.
-- Returns {outcome, id, state, attempt}. `outcome` is created or joined with the job; merged with the
-- cluster that its items are in now; has_pull with the job that opened the pull request and its address;
-- missing, empty (it has no items any more), no_repository, plan_required, plan_not_approved, too_many
-- (jobs today), too_dear (today).
local p = 'p:' .. ARGV[1] .. ':'
local cl, id, now = p .. 'cl:' .. ARGV[2], ARGV[3], ARGV[4]
if redis.call('EXISTS', cl) == 0 then return { 'missing', '', '', 0 } end
local is = redis.call('HMGET', cl, 'status', 'merged_into', 'job', 'pull', 'plan')
if is[1] == 'merged' then return { 'merged', is[2], '', 0 } end
local project = cjson.decode(redis.call('GET', p .. 'project') or '{}')
if (project.repository or '') == '' then return { 'no_repository', '', '', 0 } end
if is[3] then
  local job = redis.call('HMGET', p .. 'job:' .. is[3], 'state', 'attempt')
  return { 'joined', is[3], job[1], job[2] }
end
if redis.call('EXISTS', cl .. ':items') == 0 then return { 'empty', '', '', 0 } end
if is[4] and ARGV[8] ~= '1' then
  return { 'has_pull', is[4], redis.call('HGET', p .. 'job:' .. is[4], 'pr_url') or '', 0 }
end

local plan = ARGV[9] ~= '1' and is[5] or ''
if plan == '' then
  if project.plan_required then return { 'plan_required', '', '', 0 } end
  if ARGV[9] ~= '1' and redis.call('EXISTS', cl .. ':plans') == 1 then
    return { 'plan_not_approved', '', '', 0 }
  end
end

local defaults = cjson.decode(ARGV[10])
local function limit(name) return tonumber(project[name] or defaults[name]) end
local budget = math.floor(limit('dollars_per_job') * 1000000 + 0.5)
local today = redis.call('HMGET', spend_key(p, ARGV[7]), 'jobs', 'reserved', 'spent')
if tonumber(today[1] or '0') >= limit('jobs_per_day') then return { 'too_many', '', '', 0 } end
if tonumber(today[2] or '0') + tonumber(today[3] or '0') + budget > limit('dollars_per_day') * 1000000 then
  return { 'too_dear', '', '', 0 }
end
reserve(p, ARGV[7], string.format('%.0f', budget))

local job = p .. 'job:' .. id
redis.call('HSET', job, 'id', id, 'cluster', ARGV[2], 'state', 'queued', 'attempt', 1, 'created', now,
  'updated', now, 'asked_by', ARGV[6], 'repository', project.repository, 'base', project.base or 'main',
  'day', ARGV[7], 'budget', string.format('%.0f', budget),
  'minutes', string.format('%.0f', limit('minutes_per_job')), 'plan', plan)
redis.call('RPUSH', job .. ':history',
  cjson.encode({ state = 'queued', at = now, attempt = 1, reason = 'asked for' }))
redis.call('ZADD', p .. 'jobs', now, id)
redis.call('RPUSH', cl .. ':jobs', id)
redis.call('HSET', cl, 'job', id)
redis.call('ZADD', 'sys:jobs', ARGV[5], id)
redis.call('HINCRBY', p .. 'counts', 'job:queued', 1)
audit(p, 'asked for fix', id, nil, { cluster = ARGV[2], again = ARGV[8] == '1', without_plan = ARGV[9] == '1' }, now)
return { 'created', id, 'queued', 1 }
