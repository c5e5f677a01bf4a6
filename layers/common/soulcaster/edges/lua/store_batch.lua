--#include evidence
--#include intake
--#include withdraw
-- Stores what one project's sources say. Delivering it again, in any order, ends in the same state;
-- only `intake` and `source:ID` count what came and when.
-- ARGV: project, JSON array of readings, each of which says what it `is` and when it was `received`:
-- feedback: id, doc, head, title, text, raw, text_hash, rank, version, hash, open, open_at, occurrences,
--   occurrence_id, created, source, source_id, kind, author, severity, words, fp, day (of `received`);
-- evidence: id (of the item), name (its own), said (JSON, see lib/evidence.lua), reports ('1' or '0');
-- settled: id, at; withdrawn: id; moved: id, to.
-- Returns the number of new items; an error NOPROJECT when there is no such project.
local project = ARGV[1]
local p = 'p:' .. project .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return redis.error_reply('NOPROJECT ' .. project) end

local touched = {} -- clusters to be described

-- What an item is called here that its source calls `id`.
local function called(id)
  local about = redis.call('HGET', p .. 'moved', id)
  while about do
    id = about
    about = redis.call('HGET', p .. 'moved', id)
  end
  return id
end

local function as_map(flat)
  local map = {}
  for i = 1, #flat, 2 do map[flat[i]] = flat[i + 1] end
  return map
end

local function is_withdrawn(id) return redis.call('SISMEMBER', p .. 'withdrawn', id) == 1 end

-- Whether `it` beats what is stored: by rank, version and hash, never by order of arrival.
local function newer(it, key)
  local was = redis.call('HMGET', key, 'rank', 'version', 'hash')
  for i, mine in ipairs({ it.rank, it.version }) do
    local theirs = tonumber(was[i])
    if tonumber(mine) ~= theirs then return tonumber(mine) > theirs end
  end
  return it.hash > was[3]
end

-- At the same moment, closed wins: a source that settles something says so last.
local function say_open(key, open, at)
  local was = redis.call('HGET', key, 'open_at')
  local later = not was or tonumber(at) > tonumber(was)
  if later or (tonumber(at) == tonumber(was) and open == '0') then
    redis.call('HSET', key, 'open', open, 'open_at', at)
  end
end

-- Brings the item up to date with a delivery; returns whether it must be embedded. `note` keeps what
-- the delivery says of how often it was reported.
local function update(it, key, is_new, note)
  local embed = is_new
  if is_new or newer(it, key) then
    if not is_new and redis.call('HGET', key, 'fp') ~= it.fp and stand_alone(p, it.id) then
      redis.call('SADD', 'sys:pending', project)
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
  say_open(key, it.open, it.open_at)
  local created = redis.call('HGET', key, 'created')
  if not created or tonumber(it.created) < tonumber(created) then
    redis.call('HSET', key, 'created', it.created)
    redis.call('ZADD', p .. 'fbs', it.created, it.id)
  end
  note(key)
  if is_new then take_in_evidence(p, it.id) end
  recount(key)
  return embed
end

-- Everything of an item that its cluster's description depends on.
local function contribution(key)
  local values = redis.call('HMGET', key, 'severity', 'author', 'others', 'days', 'created')
  for i, value in ipairs(values) do values[i] = value or '' end
  return table.concat(values, '\n')
end

-- Runs `change`, which may change what item `id` contributes to its cluster and project. `reported` is
-- when a report came that may be news, or nil.
local function within(id, reported, change)
  local key = p .. 'fb:' .. id
  local cluster = redis.call('HGET', key, 'cluster')
  local before = contribution(key)
  add_days(p .. 'days', redis.call('HGET', key, 'days'), -1)
  if cluster then tally(p, cluster, id, -1) end
  local result = change(key)
  add_days(p .. 'days', redis.call('HGET', key, 'days'), 1)
  if not cluster then return result end
  tally(p, cluster, id, 1)
  local created = redis.call('HGET', key, 'created')
  redis.call('ZADD', p .. 'cl:' .. cluster .. ':items', created, id)
  redis.call('ZADD', p .. 'cl:' .. cluster .. ':points', 'XX', created, id)
  local back = reported and came_back(p, cluster, id, reported)
  if back or contribution(key) ~= before then touched[cluster] = true end
  return result
end

-- Returns whether the item is new.
local function put(it, note)
  local key = p .. 'fb:' .. it.id
  local is_new = redis.call('EXISTS', key) == 0
  local embed = within(it.id, it.received, function() return update(it, key, is_new, note) end)
  if is_new then
    redis.call('HSET', key, 'received', it.received)
    redis.call('HINCRBY', p .. 'counts', 'stored', 1)
    redis.call('HINCRBY', p .. 'counts', 'source:' .. it.source, 1)
    local settled = redis.call('GETDEL', p .. 'settled:' .. it.id)
    if settled then say_open(key, '0', settled) end
  end
  if embed then
    redis.call('ZADD', p .. 'pending', redis.call('HGET', key, 'received'), it.id)
    redis.call('SADD', 'sys:pending', project)
  end
  return is_new
end

local function settle(id, at)
  local key, waits = p .. 'fb:' .. id, p .. 'settled:' .. id
  if redis.call('EXISTS', key) == 1 then return say_open(key, '0', at) end
  local known = redis.call('GET', waits)
  if known and tonumber(known) > tonumber(at) then at = known end
  redis.call('SET', waits, at, 'EX', WAITS_SECONDS)
end

local function say(id, name, said, received, reports)
  if redis.call('EXISTS', p .. 'fb:' .. id) == 0 then
    keep_said(p, id, name, said, received)
    return redis.call('EXPIRE', p .. 'fb:' .. id .. ':evidence', WAITS_SECONDS)
  end
  within(id, reports and received or nil, function(key)
    keep_said(p, id, name, said, received)
    sum_up(p, id)
    recount(key)
  end)
end

-- All that is stored as `from`, which is no item of its own, goes to `id`.
local function hand_over(from, id)
  local key = p .. 'fb:' .. from
  local it = as_map(redis.call('HGETALL', key))
  local events = as_map(redis.call('HGETALL', key .. ':events'))
  local said = as_map(redis.call('HGETALL', key .. ':evidence'))
  local settled = redis.call('GET', p .. 'settled:' .. from)
  withdraw(p, project, from, touched)
  if is_withdrawn(id) then return end
  if it.id then
    it.id = id
    put(it, function(mine) note_item(mine, it, events) end)
  end
  if settled then settle(id, settled) end
  for name, kept in pairs(said) do
    local heard, what = heard_and_said(kept)
    say(id, name, what, heard, cjson.decode(what).reports)
  end
end

local handle = {}

function handle.feedback(it)
  local source = p .. 'source:' .. it.source_id
  local last = tonumber(redis.call('HGET', source, 'last_delivery') or '0')
  redis.call('HINCRBY', source, 'deliveries', 1)
  if tonumber(it.received) > last then redis.call('HSET', source, 'last_delivery', it.received) end
  it.id = called(it.id)
  if is_withdrawn(it.id) or not put(it, function(key) note_delivery(key, it) end) then return 0 end
  redis.call('HINCRBY', source, 'items', 1)
  count_of_day(p, it.day, 'items', 1)
  return 1
end

function handle.evidence(it)
  local id = called(it.id)
  if not is_withdrawn(id) then say(id, it.name, it.said, it.received, it.reports == '1') end
end

function handle.settled(it)
  local id = called(it.id)
  if not is_withdrawn(id) then settle(id, it.at) end
end

function handle.withdrawn(it) withdraw_for_good(p, project, called(it.id), touched) end

-- Of two that say where `to` came from, the first counts, and what would lead back to itself does not:
-- these alone depend on the order of arrival.
function handle.moved(it)
  local id = called(it.id)
  if id == it.to or redis.call('HSETNX', p .. 'moved', it.to, it.id) == 0 then return end
  if redis.call('SREM', p .. 'withdrawn', it.to) == 1 then
    withdraw_for_good(p, project, id, touched)
  end
  hand_over(it.to, id)
end

local new, now = 0, 0
for _, it in ipairs(cjson.decode(ARGV[2])) do
  new = new + (handle[it.is](it) or 0)
  now = math.max(now, tonumber(it.received))
end
describe_touched(p, touched, now)
return new
