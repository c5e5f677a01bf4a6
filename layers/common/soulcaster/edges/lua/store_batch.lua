-- Stores feedback of one project. Delivering it again, in any order, ends in the same state.
-- ARGV: project, JSON array of {id, doc, title, raw, text_hash, rank, version, hash, open,
-- occurrences, occurrence_id, created, received}. Returns "NOPROJECT" or the number of new items.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return redis.error_reply('NOPROJECT ' .. ARGV[1]) end

-- Whether a beats b: (rank, version, hash), so that the order of arrival never matters.
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

local new = 0
for _, it in ipairs(cjson.decode(ARGV[2])) do
  local key = p .. 'fb:' .. it.id
  local is_new = redis.call('EXISTS', key) == 0
  local embed = is_new
  if is_new or newer(it, key) then
    embed = is_new or redis.call('HGET', key, 'text_hash') ~= it.text_hash
    redis.call('HSET', key, 'id', it.id, 'doc', it.doc, 'title', it.title, 'raw', it.raw,
      'text_hash', it.text_hash, 'rank', it.rank, 'version', it.version, 'hash', it.hash)
  end
  local at = redis.call('HGET', key, 'open_version')
  -- At the same moment, closed wins: a source that settles something says so last.
  if not at or tonumber(it.version) > tonumber(at)
    or (it.version == at and it.open == '0') then
    redis.call('HSET', key, 'open', it.open, 'open_version', it.version)
  end
  local occurrences = math.max(tonumber(it.occurrences), seen_at_source(it, key),
    tonumber(redis.call('HGET', key, 'occurrences') or '0'))
  redis.call('HSET', key, 'occurrences', string.format('%.0f', occurrences))
  local created = redis.call('HGET', key, 'created')
  if not created or tonumber(it.created) < tonumber(created) then
    redis.call('HSET', key, 'created', it.created)
    redis.call('ZADD', p .. 'fbs', it.created, it.id)
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
