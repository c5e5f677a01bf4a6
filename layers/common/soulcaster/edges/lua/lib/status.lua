--#include tally
-- Says what a cluster is: open, resolved or ignored. To say what it is already changes nothing, and
-- what was merged into another cluster has no status of its own. `pull` is the address of the pull
-- request that it is resolved by, or ''. `at` in ms.
local function set_status(p, cluster, to, who, pull, at)
  local cl = p .. 'cl:' .. cluster
  local is = redis.call('HMGET', cl, 'status', 'ranked_at')
  local was = is[1]
  if not was or was == 'merged' or was == to then return end
  redis.call('HSET', cl, 'status', to)
  if to == 'resolved' then
    redis.call('HSET', cl, 'resolved_at', at, 'resolved_by', who, 'resolved_pr', pull)
    redis.call('HDEL', cl, 'regressed_at', 'regressed_after')
  elseif was == 'resolved' then
    redis.call('HDEL', cl, 'resolved_at', 'resolved_by', 'resolved_pr')
  end
  -- What is told late must not rate the cluster as it was then.
  describe(p, cluster, math.max(tonumber(at), tonumber(is[2] or '0')))
end
