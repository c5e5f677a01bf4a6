-- Why nothing can be planned for the cluster with key `cl`: {'missing', ''}, or {'merged', the cluster
-- that its items are in now}; nil when it can.
local function standing(cl)
  local is = redis.call('HMGET', cl, 'status', 'merged_into')
  if not is[1] then return { 'missing', '' } end
  if is[1] == 'merged' then return { 'merged', is[2] } end
end
