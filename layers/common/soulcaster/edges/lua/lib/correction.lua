--#include audit
--#include members
--#include open_pull
-- What is kept of a correction, and what the scripts that make and undo them answer: {outcome,
-- text, record}, with outcome made, same (it was made before), missing (text: of what there is
-- none) or conflict (text: why not). Nothing has been written when it is missing or a conflict.

local function missing(what) return { 'missing', what, {} } end

local function conflict(why) return { 'conflict', why, {} } end

local function answer(p, outcome, seq)
  return { outcome, '', redis.call('HGETALL', p .. 'cor:' .. seq) }
end

local function is_empty(p, cluster)
  return redis.call('EXISTS', p .. 'cl:' .. cluster .. ':items') == 0
end

-- How often people put together and took apart, by the kind of text; the clustering learns from it.
local function teach(p, verb, kind, by)
  local field = kind .. (verb == 'merge' and ':merge' or ':apart')
  if redis.call('HINCRBY', p .. 'taught', field, by) == 0 then
    redis.call('HDEL', p .. 'taught', field)
  end
end

local DONE = { merge = 'merged clusters', split = 'split cluster', move = 'moved item' }

-- `it`: verb, who, at, why, into (the cluster that gets items), from (a list of those that they
-- leave), items (a list; empty for a merge), one (an item whose kind of text counts).
local function note(p, project, seq, it)
  local kind = redis.call('HGET', p .. 'fb:' .. it.one, 'kind') or ''
  redis.call('HSET', p .. 'cor:' .. seq, 'id', 'cor_' .. project .. '_' .. seq, 'verb', it.verb,
    'who', it.who, 'at', it.at, 'why', it.why, 'into', it.into, 'out_of', cjson.encode(it.from),
    'items', #it.items == 0 and '[]' or cjson.encode(it.items), 'kind', kind)
  redis.call('ZADD', p .. 'cors', seq, seq)
  teach(p, it.verb, kind, 1)
  audit(p, DONE[it.verb], 'cor_' .. project .. '_' .. seq, { out_of = it.from },
    { into = it.into, items = #it.items > 0 and #it.items or nil }, it.at)
end

-- The newest live correction that says where an item is, or nil: its number and its record.
local function latest(p, id)
  local said = places(p, id)
  if #said == 0 then return nil end
  local seq = said[#said][1]
  local cor = redis.call('HMGET', p .. 'cor:' .. seq, 'verb', 'out_of', 'items')
  return seq, { verb = cor[1], from = cjson.decode(cor[2]), items = cjson.decode(cor[3]) }
end

-- The jobs of `from` are shown with `into` too, in the order in which they were asked for.
local function adopt_jobs(p, into, from)
  local key = p .. 'cl:' .. into .. ':jobs'
  local mine = redis.call('LRANGE', key, 0, -1)
  local theirs = redis.call('LRANGE', p .. 'cl:' .. from .. ':jobs', 0, -1)
  local function asked(id) return tonumber(redis.call('HGET', p .. 'job:' .. id, 'created')) end
  redis.call('DEL', key)
  local i, j = 1, 1
  while i <= #mine or j <= #theirs do
    if j > #theirs or (i <= #mine and asked(mine[i]) <= asked(theirs[j])) then
      redis.call('RPUSH', key, mine[i])
      i = i + 1
    else
      redis.call('RPUSH', key, theirs[j])
      j = j + 1
    end
  end
  renew_pull(p, into)
end

-- The other way round, also in what `into` has since become.
local function return_jobs(p, into, from)
  local theirs = redis.call('LRANGE', p .. 'cl:' .. from .. ':jobs', 0, -1)
  while into do
    for _, id in ipairs(theirs) do redis.call('LREM', p .. 'cl:' .. into .. ':jobs', 0, id) end
    renew_pull(p, into)
    local edge = redis.call('HMGET', p .. 'cl:' .. into, 'merged_by', 'merged_into')
    into = edge[1] and edge[2]
  end
end
