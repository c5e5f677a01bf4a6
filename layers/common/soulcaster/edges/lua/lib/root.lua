-- What `cluster` has become by live merges; edges made by correction `without` do not count.
local function root(p, cluster, without)
  while true do
    local edge = redis.call('HMGET', p .. 'cl:' .. cluster, 'merged_by', 'merged_into')
    if not edge[1] or edge[1] == without then return cluster end
    cluster = edge[2]
  end
end
