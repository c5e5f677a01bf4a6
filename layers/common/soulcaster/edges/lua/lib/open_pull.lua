-- A cluster's `pull` is the newest of its jobs whose pull request is open.
local function renew_pull(p, cluster)
  local cl = p .. 'cl:' .. cluster
  local jobs = redis.call('LRANGE', cl .. ':jobs', 0, -1)
  for i = #jobs, 1, -1 do
    local job = redis.call('HMGET', p .. 'job:' .. jobs[i], 'state', 'pr_state')
    if job[1] == 'pr_open' and job[2] == 'open' then return redis.call('HSET', cl, 'pull', jobs[i]) end
  end
  redis.call('HDEL', cl, 'pull')
end
