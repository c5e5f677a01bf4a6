--#include riders
--#include tally
--#include words
-- Takes items away. The ids of those that were deleted at their source or by a person are in
-- `withdrawn` for good, and nothing is stored under them again; in `gone` are ids of items whose
-- vectors the clustering has yet to take out of the index.

-- A cluster without items keeps its status and is in no list; what it was called told of what is gone.
local function vacated(p, cluster)
  local cl = p .. 'cl:' .. cluster
  index_cluster_words(p, cluster, '')
  redis.call('HDEL', cl, 'name', 'summary', 'named_by', 'named_size', 'words')
  redis.call('HINCRBY', p .. 'counts', 'clusters', -1)
end

-- A cluster that is called by the title of the item that left is called by its oldest.
local function renamed(p, cluster, title)
  local cl = p .. 'cl:' .. cluster
  local is = redis.call('HMGET', cl, 'named_by', 'name')
  if is[1] ~= 'title' or title:sub(1, #is[2]) ~= is[2] then return end
  local oldest = redis.call('ZRANGE', cl .. ':items', 0, 0)[1]
  -- Due for a name of its own when it next changes.
  redis.call('HSET', cl, 'name', redis.call('HGET', p .. 'fb:' .. oldest, 'title'), 'named_size', 1)
  index_cluster_words(p, cluster, title_words(p, oldest))
end

local function leave(p, id, cluster, title)
  local cl = p .. 'cl:' .. cluster
  tally(p, cluster, id, -1)
  redis.call('ZREM', cl .. ':items', id)
  redis.call('ZREM', cl .. ':points', id)
  if redis.call('EXISTS', cl .. ':items') == 0 then
    vacated(p, cluster)
  else
    renamed(p, cluster, title)
  end
end

-- Takes an item away with all that is kept of it, also what waited for it to come. Returns whether it
-- was there; its cluster, which the caller describes, is a key of `touched` then. A live job on an
-- emptied cluster goes on.
local function withdraw(p, project, id, touched)
  local key = p .. 'fb:' .. id
  local fb = redis.call('HMGET', key, 'source', 'cluster', 'days', 'pins', 'title')
  if fb[1] then
    stand_alone(p, id)
    index_words(p, id, '')
    add_days(p .. 'days', fb[3], -1)
    if fb[2] then
      leave(p, id, fb[2], fb[5])
      touched[fb[2]] = true
      add(p .. 'counts', 'clustered', -1)
    end
    for seq in (fb[4] or ''):gmatch('[^,]+') do redis.call('SREM', p .. 'cor:' .. seq .. ':items', id) end
    add(p .. 'counts', 'stored', -1)
    add(p .. 'counts', 'source:' .. fb[1], -1)
    for _, index in ipairs({ 'fbs', 'pending', 'recent' }) do redis.call('ZREM', p .. index, id) end
    redis.call('HDEL', p .. 'recent:vectors', id)
    redis.call('SADD', p .. 'gone', id)
    redis.call('SADD', 'sys:pending', project)
  end
  redis.call('DEL', key, key .. ':events', key .. ':riders', key .. ':evidence', p .. 'settled:' .. id)
  return fb[1] ~= false
end

-- The same for good.
local function withdraw_for_good(p, project, id, touched)
  redis.call('SADD', p .. 'withdrawn', id)
  return withdraw(p, project, id, touched)
end

-- Describes clusters as of `now`, in ms. What is told may have waited for days: a rating never goes
-- back in time.
local function describe_touched(p, touched, now)
  for cluster in pairs(touched) do
    local ranked = redis.call('HGET', p .. 'cl:' .. cluster, 'ranked_at')
    describe(p, cluster, math.max(tonumber(now), tonumber(ranked or '0')))
  end
end
