--#include open_pull
--#include status
-- What a job's pull request means for the cluster that the job was asked for.

-- To be called when the `pr_state` of job `id` has changed. The job's cluster, and what it has become
-- by merges, have an open pull request or none; one that was merged resolves what the cluster has
-- become. What a person called ignored or resolved stays that. `at` in ms.
local function follow_pull(p, id, at)
  local job = redis.call('HMGET', p .. 'job:' .. id, 'cluster', 'pr_state', 'pr_url')
  local cluster = job[1]
  while true do
    renew_pull(p, cluster)
    local edge = redis.call('HMGET', p .. 'cl:' .. cluster, 'merged_by', 'merged_into')
    if not edge[1] then break end
    cluster = edge[2]
  end
  if job[2] == 'merged' and redis.call('HGET', p .. 'cl:' .. cluster, 'status') == 'open' then
    set_status(p, cluster, 'resolved', 'GitHub', job[3] or '', at)
  end
end
