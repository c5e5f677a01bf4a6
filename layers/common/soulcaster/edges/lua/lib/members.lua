--#include root
--#include tally
-- Which items are in which cluster. The machine's decision (`home`) and the live corrections alone
-- say where an item is, so corrections can be undone in any order.

local function places(p, id)
  return cjson.decode(redis.call('HGET', p .. 'fb:' .. id, 'places') or '[]')
end

-- Where a clustered item belongs: what the newest live correction but `without` says of it, else
-- its home, and what that has become.
local function where(p, id, without)
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'places', 'home')
  local said, cluster = cjson.decode(fb[1] or '[]'), fb[2]
  for _, place in ipairs(said) do
    if place[1] ~= without then cluster = place[2] end
  end
  return root(p, cluster, without)
end

-- Correction `seq` says that the item is in `cluster`.
local function say(p, id, seq, cluster)
  local said = places(p, id)
  said[#said + 1] = { seq, cluster }
  redis.call('HSET', p .. 'fb:' .. id, 'places', cjson.encode(said))
end

local function unsay(p, id, seq)
  local kept = {}
  for _, place in ipairs(places(p, id)) do
    if place[1] ~= seq then kept[#kept + 1] = place end
  end
  if #kept == 0 then return redis.call('HDEL', p .. 'fb:' .. id, 'places') end
  redis.call('HSET', p .. 'fb:' .. id, 'places', cjson.encode(kept))
end

-- The machine may not move an item that a live correction holds.
local function pinned(p, id)
  return (redis.call('HGET', p .. 'fb:' .. id, 'pins') or '') ~= ''
end

-- Correction `seq` holds every item that is in `cluster` now.
local function pin_all(p, cluster, seq)
  for _, id in ipairs(redis.call('ZRANGE', p .. 'cl:' .. cluster .. ':items', 0, -1)) do
    local pins = redis.call('HGET', p .. 'fb:' .. id, 'pins')
    redis.call('HSET', p .. 'fb:' .. id, 'pins', pins and pins .. ',' .. seq or seq)
    redis.call('SADD', p .. 'cor:' .. seq .. ':items', id)
  end
end

local function unpin_all(p, seq)
  local held = p .. 'cor:' .. seq .. ':items'
  for _, id in ipairs(redis.call('SMEMBERS', held)) do
    local kept = {}
    for pin in redis.call('HGET', p .. 'fb:' .. id, 'pins'):gmatch('[^,]+') do
      if pin ~= seq then kept[#kept + 1] = pin end
    end
    if #kept == 0 then
      redis.call('HDEL', p .. 'fb:' .. id, 'pins')
    else
      redis.call('HSET', p .. 'fb:' .. id, 'pins', table.concat(kept, ','))
    end
  end
  redis.call('DEL', held)
end

-- An emptied cluster is `merged` and says where its last item went; one whose last item was withdrawn
-- keeps its status (lib/withdraw.lua). When items come again it is what it was before.
local function emptied(p, cluster, into)
  local cl = p .. 'cl:' .. cluster
  redis.call('HSET', cl, 'status_before', redis.call('HGET', cl, 'status'), 'status', 'merged',
    'merged_into', into)
  redis.call('HINCRBY', p .. 'counts', 'clusters', -1)
end

local function opened(p, cluster, now)
  local cl = p .. 'cl:' .. cluster
  if redis.call('EXISTS', cl .. ':items') == 1 then return end
  local was = redis.call('HMGET', cl, 'status', 'status_before')
  if was[1] == 'merged' then
    redis.call('HSET', cl, 'status', was[2])
    redis.call('HDEL', cl, 'status_before', 'merged_into')
  elseif not was[1] then
    redis.call('HSET', cl, 'id', cluster, 'status', 'open', 'created', now)
  end
  redis.call('HINCRBY', p .. 'counts', 'clusters', 1)
end

-- Puts an item into `cluster` from wherever it is. Returns the cluster that it left, or nil. The
-- caller describes both when all is placed.
local function place(p, id, cluster, now)
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'cluster', 'created', 'rides')
  local was, created = fb[1], fb[2]
  if was == cluster then return nil end
  opened(p, cluster, now)
  if was then
    redis.call('ZREM', p .. 'cl:' .. was .. ':items', id)
    redis.call('ZREM', p .. 'cl:' .. was .. ':points', id)
    tally(p, was, id, -1)
    if redis.call('EXISTS', p .. 'cl:' .. was .. ':items') == 0 then emptied(p, was, cluster) end
  end
  redis.call('HSET', p .. 'fb:' .. id, 'cluster', cluster)
  redis.call('ZADD', p .. 'cl:' .. cluster .. ':items', created, id)
  if not fb[3] then redis.call('ZADD', p .. 'cl:' .. cluster .. ':points', created, id) end
  tally(p, cluster, id, 1)
  return was or nil
end

-- A cluster that an agent works on and that `plan`, a list of {id, to}, would leave empty, or nil.
local function bereft(p, plan)
  local change = {}
  for _, it in ipairs(plan) do
    local from = redis.call('HGET', p .. 'fb:' .. it.id, 'cluster')
    change[from] = (change[from] or 0) - 1
    change[it.to] = (change[it.to] or 0) + 1
  end
  for cluster, by in pairs(change) do
    local cl = p .. 'cl:' .. cluster
    if redis.call('ZCARD', cl .. ':items') + by == 0 and redis.call('HEXISTS', cl, 'job') == 1 then
      return cluster
    end
  end
end

-- Places every item of `plan`; the clusters concerned are keys of `touched` afterwards.
local function carry_out(p, plan, now, touched)
  for _, it in ipairs(plan) do
    local left = place(p, it.id, it.to, now)
    if left then touched[left] = true end
    touched[it.to] = true
  end
end

local function describe_all(p, touched, now)
  for cluster in pairs(touched) do describe(p, cluster, now) end
end
