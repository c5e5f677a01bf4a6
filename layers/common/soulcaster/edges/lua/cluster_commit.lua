-- Writes what a batch decided, all of it or nothing, and gives the lease back.
-- ARGV: project, owner, fence, now, JSON array of {id, cluster, why, text_hash, source} (cluster
-- '' = only embedded again), JSON array of {id, name, summary, size, by}, JSON array of
-- {id, vector}, until when (ms) those vectors are kept as recent.
-- Returns {newly clustered, still pending here, projects with pending items}; an error STALE when
-- the lease was lost.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('GET', p .. 'lease') ~= ARGV[2] or redis.call('GET', p .. 'fence') ~= ARGV[3] then
  return redis.error_reply('STALE the lease on ' .. ARGV[1] .. ' was lost')
end

local function open(cluster, at)
  redis.call('HSET', p .. 'cl:' .. cluster, 'id', cluster, 'status', 'open', 'created', ARGV[4],
    'first_seen', at, 'last_seen', at)
  redis.call('HINCRBY', p .. 'counts', 'clusters', 1)
end

local function join(it)
  local fb, cl = p .. 'fb:' .. it.id, p .. 'cl:' .. it.cluster
  local created = redis.call('HGET', fb, 'created')
  if redis.call('EXISTS', cl) == 0 then open(it.cluster, created) end
  redis.call('HSET', fb, 'cluster', it.cluster, 'why', it.why)
  redis.call('ZADD', cl .. ':items', created, it.id)
  redis.call('HINCRBY', cl, 'source:' .. it.source, 1)
  local seen = redis.call('HMGET', cl, 'first_seen', 'last_seen')
  if tonumber(created) < tonumber(seen[1]) then redis.call('HSET', cl, 'first_seen', created) end
  if tonumber(created) > tonumber(seen[2]) then redis.call('HSET', cl, 'last_seen', created) end
  redis.call('ZADD', p .. 'cls', redis.call('HGET', cl, 'last_seen'), it.cluster)
  redis.call('ZADD', p .. 'cls:size', redis.call('ZCARD', cl .. ':items'), it.cluster)
  redis.call('HINCRBY', p .. 'counts', 'clustered', 1)
end

local clustered = 0
for _, it in ipairs(cjson.decode(ARGV[5])) do
  local fb = redis.call('HMGET', p .. 'fb:' .. it.id, 'cluster', 'text_hash')
  if fb[2] then
    if not fb[1] and it.cluster ~= '' then
      join(it)
      clustered = clustered + 1
    end
    -- Edited while it was being embedded: it stays pending for its new text.
    if fb[2] == it.text_hash then redis.call('ZREM', p .. 'pending', it.id) end
  else
    redis.call('ZREM', p .. 'pending', it.id)
  end
end
for _, n in ipairs(cjson.decode(ARGV[6])) do
  if redis.call('EXISTS', p .. 'cl:' .. n.id) == 1 then
    redis.call('HSET', p .. 'cl:' .. n.id, 'name', n.name, 'summary', n.summary,
      'named_size', n.size, 'named_by', n.by)
  end
end
for _, r in ipairs(cjson.decode(ARGV[7])) do
  redis.call('ZADD', p .. 'recent', ARGV[8], r.id)
  redis.call('HSET', p .. 'recent:vectors', r.id, r.vector)
end
-- An answer has a size. When more than this come within the index's lag, the oldest of them can't
-- be seen by the next batch until the index shows them.
for _, id in ipairs(redis.call('ZRANGE', p .. 'recent', 0, -2001)) do
  redis.call('ZREM', p .. 'recent', id)
  redis.call('HDEL', p .. 'recent:vectors', id)
end
redis.call('DEL', p .. 'lease')
local pending = redis.call('ZCARD', p .. 'pending')
if pending == 0 then redis.call('SREM', 'sys:pending', ARGV[1]) end
return { clustered, pending, redis.call('SCARD', 'sys:pending') }
