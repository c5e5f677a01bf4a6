-- Stores feedback of one project. Delivering it again, in any order, ends in the same state.
-- ARGV: project, JSON array of {id, doc, head, title, text, raw, text_hash, rank, version, hash,
-- open, open_at, occurrences, occurrence_id, created, received, source}. Returns the number of new
-- items; an error NOPROJECT when there is no such project.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return redis.error_reply('NOPROJECT ' .. ARGV[1]) end

-- Whether `it` beats what is stored: by rank, version and hash, never by order of arrival.
local function newer(it, key)
  local was = redis.call('HMGET', key, 'rank', 'version', 'hash')
  for i, mine in ipairs({ it.rank, it.version }) do
    local theirs = tonumber(was[i])
    if tonumber(mine) ~= theirs then return tonumber(mine) > theirs end
  end
  return it.hash > was[3]
end

local function seen_at_source(it, key)
  if it.occurrence_id == '' then return 0 end
  local set = key .. ':occurrences'
  -- Enough to tell a flood from a trickle; past that only the source's own count grows.
  if redis.call('SCARD', set) < 10000 then redis.call('SADD', set, it.occurrence_id) end
  return redis.call('SCARD', set)
end

-- An item that is in a cluster turns out to be older: so may its cluster be.
local function began_earlier(key, it)
  local cluster = redis.call('HGET', key, 'cluster')
  if not cluster then return end
  local cl = p .. 'cl:' .. cluster
  redis.call('ZADD', cl .. ':items', it.created, it.id)
  if tonumber(it.created) < tonumber(redis.call('HGET', cl, 'first_seen')) then
    redis.call('HSET', cl, 'first_seen', it.created)
  end
end

local new = 0
for _, it in ipairs(cjson.decode(ARGV[2])) do
  local key = p .. 'fb:' .. it.id
  local is_new = redis.call('EXISTS', key) == 0
  local embed = is_new
  if is_new or newer(it, key) then
    embed = is_new or redis.call('HGET', key, 'text_hash') ~= it.text_hash
    redis.call('HSET', key, 'id', it.id, 'doc', it.doc, 'head', it.head, 'title', it.title,
      'text', it.text, 'source', it.source, 'raw', it.raw, 'text_hash', it.text_hash, 'rank', it.rank, 'version', it.version, 'hash', it.hash)
  end
  local at = redis.call('HGET', key, 'open_at')
  -- At the same moment, closed wins: a source that settles something says so last.
  if not at or tonumber(it.open_at) > tonumber(at) or (it.open_at == at and it.open == '0') then
    redis.call('HSET', key, 'open', it.open, 'open_at', it.open_at)
  end
  local occurrences = math.max(tonumber(it.occurrences), seen_at_source(it, key),
    tonumber(redis.call('HGET', key, 'occurrences') or '0'))
  redis.call('HSET', key, 'occurrences', string.format('%.0f', occurrences))
  local created = redis.call('HGET', key, 'created')
  if not created or tonumber(it.created) < tonumber(created) then
    redis.call('HSET', key, 'created', it.created)
    redis.call('ZADD', p .. 'fbs', it.created, it.id)
    began_earlier(key, it)
  end
  if is_new then
    new = new + 1
    redis.call('HSET', key, 'received', it.received)
    redis.call('HINCRBY', p .. 'counts', 'stored', 1)
    redis.call('HINCRBY', p .. 'counts', 'source:' .. it.source, 1)
  end
  if embed then
    redis.call('ZADD', p .. 'pending', redis.call('HGET', key, 'received'), it.id)
    redis.call('SADD', 'sys:pending', ARGV[1])
  end
end
return new
