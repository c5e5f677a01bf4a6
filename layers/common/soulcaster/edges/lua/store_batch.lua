--#include tally
--#include reports
--#include riders
--#include words
-- Stores feedback of one project. Delivering it again, in any order, ends in the same state.
-- ARGV: project, JSON array of {id, doc, head, title, text, raw, text_hash, rank, version, hash,
-- open, open_at, occurrences, occurrence_id, created, received, source, kind, author, severity, words,
-- fp}.
-- Returns the number of new items; an error NOPROJECT when there is no such project.
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

local heirs = false -- whether an item is pending that took over from one whose text has changed

-- Brings the item up to date with a delivery; returns whether it must be embedded.
local function update(it, key, is_new)
  local embed = is_new
  if is_new or newer(it, key) then
    if not is_new and redis.call('HGET', key, 'fp') ~= it.fp then
      heirs = stand_alone(p, it.id) or heirs
    end
    local was = redis.call('HMGET', key, 'text_hash', 'rides')
    -- What rides on another of the same fingerprint is compared by that one's vector.
    embed = is_new or (was[1] ~= it.text_hash and not was[2])
    for _, field in ipairs({ 'id', 'doc', 'head', 'title', 'text', 'source', 'raw', 'text_hash',
      'rank', 'version', 'hash', 'kind', 'author', 'severity', 'fp' }) do
      redis.call('HSET', key, field, it[field])
    end
    index_words(p, it.id, it.words)
  end
  local at = redis.call('HGET', key, 'open_at')
  -- At the same moment, closed wins: a source that settles something says so last.
  if not at or tonumber(it.open_at) > tonumber(at) or (it.open_at == at and it.open == '0') then
    redis.call('HSET', key, 'open', it.open, 'open_at', it.open_at)
  end
  local created = redis.call('HGET', key, 'created')
  if not created or tonumber(it.created) < tonumber(created) then
    redis.call('HSET', key, 'created', it.created)
    redis.call('ZADD', p .. 'fbs', it.created, it.id)
  end
  reported(key, it)
  return embed
end

-- Everything of an item that its cluster's description depends on.
local function contribution(key)
  local values = redis.call('HMGET', key, 'severity', 'author', 'days', 'created')
  for i, value in ipairs(values) do values[i] = value or '' end
  return table.concat(values, '\n')
end

local touched = {}

-- Runs `change`, which may change what the item contributes to its cluster.
local function within(cluster, it, key, change)
  if not cluster then return change() end
  local before = contribution(key)
  tally(p, cluster, it.id, -1)
  local result = change()
  tally(p, cluster, it.id, 1)
  local created = redis.call('HGET', key, 'created')
  redis.call('ZADD', p .. 'cl:' .. cluster .. ':items', created, it.id)
  redis.call('ZADD', p .. 'cl:' .. cluster .. ':points', 'XX', created, it.id)
  local back = came_back(p, cluster, it.id, it.received)
  if back or contribution(key) ~= before then touched[cluster] = true end
  return result
end

local new, now = 0, 0
for _, it in ipairs(cjson.decode(ARGV[2])) do
  local key = p .. 'fb:' .. it.id
  local is_new = redis.call('EXISTS', key) == 0
  local cluster = redis.call('HGET', key, 'cluster')
  add_days(p .. 'days', redis.call('HGET', key, 'days'), -1)
  local embed = within(cluster, it, key, function() return update(it, key, is_new) end)
  add_days(p .. 'days', redis.call('HGET', key, 'days'), 1)
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
  now = math.max(now, tonumber(it.received))
end
if heirs then redis.call('SADD', 'sys:pending', ARGV[1]) end
for cluster in pairs(touched) do
  -- A delivery may have waited in its queue for days: a rating never goes back in time.
  local ranked = redis.call('HGET', p .. 'cl:' .. cluster, 'ranked_at')
  describe(p, cluster, math.max(now, tonumber(ranked or '0')))
end
return new
