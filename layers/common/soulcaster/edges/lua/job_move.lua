-- One transition of a job, fenced by its attempt.
-- ARGV: project, job, attempt, from (",a,b,"), to, now, due ('' = it ends), reason, JSON object
-- of further fields. Returns {outcome, state, attempt}: moved, stale (another attempt), refused
-- (another state) or missing.
local p = 'p:' .. ARGV[1] .. ':'
local job = p .. 'job:' .. ARGV[2]
local now = redis.call('HMGET', job, 'state', 'attempt', 'cluster')
local state, attempt = now[1], now[2]
if not state then return { 'missing', '', 0 } end
if attempt ~= ARGV[3] then return { 'stale', state, attempt } end
if not ARGV[4]:find(',' .. state .. ',', 1, true) then return { 'refused', state, attempt } end

local to = ARGV[5]
if to == 'queued' then
  attempt = redis.call('HINCRBY', job, 'attempt', 1)
  redis.call('HDEL', job, 'task', 'deadline', 'summary', 'patch_sha256')
end
redis.call('HSET', job, 'state', to, 'updated', ARGV[6], 'reason', ARGV[8])
for field, value in pairs(cjson.decode(ARGV[9])) do redis.call('HSET', job, field, value) end
redis.call('RPUSH', job .. ':history',
  cjson.encode({ state = to, at = ARGV[6], attempt = tonumber(attempt), reason = ARGV[8] }))
redis.call('HINCRBY', p .. 'counts', 'job:' .. state, -1)
redis.call('HINCRBY', p .. 'counts', 'job:' .. to, 1)
if ARGV[7] == '' then
  redis.call('ZREM', 'sys:jobs', ARGV[2])
  local cl = p .. 'cl:' .. now[3]
  if redis.call('HGET', cl, 'job') == ARGV[2] then redis.call('HDEL', cl, 'job') end
else
  redis.call('ZADD', 'sys:jobs', ARGV[7], ARGV[2])
end
return { 'moved', to, attempt }
