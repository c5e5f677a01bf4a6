-- Items of one fingerprint: the first of them is embedded and stands for the others, which ride on
-- it (`rides`, and the set `riders` the other way round). Each cluster has a sorted set `points` of
-- those of its items that ride on none. `fps` says which item stands for a fingerprint.

local function ride(p, id, on)
  local key = p .. 'fb:' .. id
  redis.call('HSET', key, 'rides', on)
  redis.call('SADD', p .. 'fb:' .. on .. ':riders', id)
  local cluster = redis.call('HGET', key, 'cluster')
  if cluster then redis.call('ZREM', p .. 'cl:' .. cluster .. ':points', id) end
end

local function get_off(p, id)
  local key = p .. 'fb:' .. id
  local fb = redis.call('HMGET', key, 'rides', 'cluster', 'created')
  if not fb[1] then return end
  redis.call('SREM', p .. 'fb:' .. fb[1] .. ':riders', id)
  redis.call('HDEL', key, 'rides')
  if fb[2] then redis.call('ZADD', p .. 'cl:' .. fb[2] .. ':points', fb[3], id) end
end

-- Who stands for a fingerprint, if anybody does and is in a cluster: the item, its cluster.
local function stands_for(p, fp)
  local id = fp ~= '' and redis.call('HGET', p .. 'fps', fp)
  local cluster = id and redis.call('HGET', p .. 'fb:' .. id, 'cluster')
  if cluster then return id, cluster end
end

-- The item's text changes: it rides on nobody, and whoever rode on it rides on the first of them,
-- which has to be embedded for that. Returns that one, or nil. To be called while `fp` is the old one.
local function stand_alone(p, id)
  get_off(p, id)
  local fp = redis.call('HGET', p .. 'fb:' .. id, 'fp') or ''
  if redis.call('HGET', p .. 'fps', fp) == id then redis.call('HDEL', p .. 'fps', fp) end
  local riders = redis.call('SMEMBERS', p .. 'fb:' .. id .. ':riders')
  table.sort(riders)
  for _, rider in ipairs(riders) do get_off(p, rider) end
  local heir = riders[1]
  for i = 2, #riders do ride(p, riders[i], heir) end
  if heir then
    redis.call('HSET', p .. 'fps', fp, heir)
    redis.call('ZADD', p .. 'pending', redis.call('HGET', p .. 'fb:' .. heir, 'received'), heir)
  end
  return heir
end
