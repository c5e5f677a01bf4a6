-- Asks for a fix of a cluster; while one is live, asking again joins it.
-- ARGV: project, cluster, new job id, now, due, asked by.
-- Returns {outcome, job id, state, attempt}: outcome is created, joined, missing, no_repository or merged
-- (then with the cluster that its items are in now for an id).
local p = 'p:' .. ARGV[1] .. ':'
local cl, id = p .. 'cl:' .. ARGV[2], ARGV[3]
if redis.call('EXISTS', cl) == 0 then return { 'missing', '', '', 0 } end
local is = redis.call('HMGET', cl, 'status', 'merged_into')
if is[1] == 'merged' then return { 'merged', is[2], '', 0 } end
local project = cjson.decode(redis.call('GET', p .. 'project') or '{}')
if (project.repository or '') == '' then return { 'no_repository', '', '', 0 } end
local live = redis.call('HGET', cl, 'job')
if live then
  local job = redis.call('HMGET', p .. 'job:' .. live, 'state', 'attempt')
  return { 'joined', live, job[1], job[2] }
end
redis.call('HSET', p .. 'job:' .. id, 'id', id, 'cluster', ARGV[2], 'state', 'queued', 'attempt', 1,
  'created', ARGV[4], 'updated', ARGV[4], 'asked_by', ARGV[6])
redis.call('RPUSH', p .. 'job:' .. id .. ':history',
  cjson.encode({ state = 'queued', at = ARGV[4], attempt = 1, reason = 'asked for' }))
redis.call('ZADD', p .. 'jobs', ARGV[4], id)
redis.call('RPUSH', cl .. ':jobs', id)
redis.call('HSET', cl, 'job', id)
redis.call('ZADD', 'sys:jobs', ARGV[5], id)
redis.call('HINCRBY', p .. 'counts', 'job:queued', 1)
return { 'created', id, 'queued', 1 }
