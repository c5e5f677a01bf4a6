-- Who works on a project, and what it has to know of what was done before.

-- Takes the lease for `ms`; returns the new fence, or nil when somebody else holds it.
local function take(p, owner, ms)
  -- The same owner comes in again: it is the same delivery after its handler was killed.
  local holder = redis.call('GET', p .. 'lease')
  if holder and holder ~= owner then return nil end
  redis.call('SET', p .. 'lease', owner, 'PX', ms)
  return redis.call('INCR', p .. 'fence')
end

local function holds(p, owner, fence)
  return redis.call('GET', p .. 'lease') == owner and redis.call('GET', p .. 'fence') == fence
end

-- Vectors that the index may not show yet: {{id, vector}…}.
local function recent_vectors(p, now)
  redis.call('ZREMRANGEBYSCORE', p .. 'recent', '-inf', '(' .. now)
  local ids, kept, found = redis.call('ZRANGE', p .. 'recent', 0, -1), {}, {}
  for _, id in ipairs(ids) do kept[id] = true end
  for _, id in ipairs(redis.call('HKEYS', p .. 'recent:vectors')) do
    if not kept[id] then redis.call('HDEL', p .. 'recent:vectors', id) end
  end
  for _, id in ipairs(ids) do
    found[#found + 1] = { id, redis.call('HGET', p .. 'recent:vectors', id) or '' }
  end
  return found
end

-- What the project has learned: {geometry, counts of corrections by kind, {number of looks so far,
-- items at the last one, when it was, clustered after it, clustered since nothing waited}, what was
-- measured of the embedding model of `space`}.
local function learned(p, space)
  local look = redis.call('HMGET', p .. 'look', 'looks', 'looked_total', 'looked_at', 'since',
    'burst')
  for i, value in ipairs(look) do look[i] = value or '0' end
  return { redis.call('GET', p .. 'geometry') or '', redis.call('HGETALL', p .. 'taught'), look,
    redis.call('GET', 'sys:model:' .. space) or '' }
end
