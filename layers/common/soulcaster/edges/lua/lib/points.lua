-- Items as the grouping rule looks at them.

-- {id, cluster, kind, marks, names, whether a correction holds it, riders, title}
local function point(p, id)
  local key = p .. 'fb:' .. id
  local fb = redis.call('HMGET', key, 'cluster', 'kind', 'marks', 'names', 'pins', 'title')
  return { id, fb[1] or '', fb[2] or '', fb[3] or '', fb[4] or '', (fb[5] or '') ~= '' and 1 or 0,
    redis.call('SCARD', key .. ':riders'), fb[6] or '' }
end

-- {id, items, points, size when it was named, whether the machine may empty it or join it to another}
local function cluster_of(p, cluster)
  local cl = p .. 'cl:' .. cluster
  local is = redis.call('HMGET', cl, 'named_size', 'status', 'job')
  return { cluster, redis.call('ZCARD', cl .. ':items'), redis.call('ZCARD', cl .. ':points'),
    is[1] or '0', is[2] == 'open' and not is[3] and 1 or 0 }
end

-- Up to `wanted` points of a cluster, evenly spaced by when they were created.
local function spaced(p, cluster, wanted)
  local key = p .. 'cl:' .. cluster .. ':points'
  local count = redis.call('ZCARD', key)
  if count <= wanted then return redis.call('ZRANGE', key, 0, -1) end
  local found = {}
  for i = 0, wanted - 1 do
    local place = math.floor(i * (count - 1) / (wanted - 1))
    found[#found + 1] = redis.call('ZRANGE', key, place, place)[1]
  end
  return found
end
