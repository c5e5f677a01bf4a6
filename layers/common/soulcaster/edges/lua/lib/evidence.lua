--#include reports
-- What was said about an item later, under `fb:ID:evidence`: evidence id -> JSON, which the item may
-- come after. It follows from the set of deliveries, whatever order they arrive in and how often.
local MOST_SAID = 200 -- of an item
local WAITS_SECONDS = 30 * 24 * 60 * 60 -- for an item that has not come

-- When it was first heard of, and all else that is kept of it, JSON.
local function heard_and_said(kept)
  local heard, said = kept:match('^{"received":(%d+),(.*)$')
  return tonumber(heard), '{' .. said
end

-- Whether `one` beats `other`, both JSON: by version, else by what it says.
local function says_later(one, other)
  local version, known = cjson.decode(one).version, cjson.decode(other).version
  if version ~= known then return version > known end
  return one > other
end

-- Those that were said first stay. One that was deleted keeps its place: else it would depend on the
-- order of arrival who has it.
local function drop_last(key)
  local all, last, at = redis.call('HGETALL', key), nil, nil
  for i = 1, #all, 2 do
    local said_at = cjson.decode(all[i + 1]).at
    if not last or said_at > at or (said_at == at and all[i] > last) then
      last, at = all[i], said_at
    end
  end
  redis.call('HDEL', key, last)
end

-- Keeps `said`, JSON with at least `version` and `at`, as evidence `name` on item `id`, heard of at
-- `received`. As `at` is of when it was said first, it has to be the same in every version.
local function keep_said(p, id, name, said, received)
  local key = p .. 'fb:' .. id .. ':evidence'
  local was = redis.call('HGET', key, name)
  local heard = tonumber(received)
  if was then
    local first, known = heard_and_said(was)
    heard = math.min(heard, first)
    if says_later(known, said) then said = known end
  end
  redis.call('HSET', key, name, string.format('{"received":%.0f,', heard) .. said:sub(2))
  if redis.call('HLEN', key) > MOST_SAID then drop_last(key) end
end

-- Brings what follows from its evidence up to date on an item: how much there is (`evidence`), who
-- reports the problem in it (`others`), reports by day (`said`), when the last of them came. Those that
-- were deleted count no more. Who gives no name is somebody else each time.
local function sum_up(p, id)
  local key = p .. 'fb:' .. id
  local source, all = redis.call('HGET', key, 'source'), redis.call('HGETALL', key .. ':evidence')
  local there, latest, days, others, known = 0, 0, {}, {}, {}
  for i = 1, #all, 2 do
    local it = cjson.decode(all[i + 1])
    if not it.gone then there = there + 1 end
    if it.reports and not it.gone then
      local day = math.min(day_of(it.at), day_of(it.received))
      days[day] = (days[day] or 0) + 1
      latest = math.max(latest, it.received)
      local who = it.who ~= '' and source .. ':' .. it.who or id .. ':' .. all[i]
      if not known[who] then others[#others + 1] = who end
      known[who] = true
    end
  end
  table.sort(others)
  redis.call('HSET', key, 'evidence', there, 'said', as_text(days),
    'others', #others == 0 and '[]' or cjson.encode(others), 'said_at', string.format('%.0f', latest))
end

-- To be called when an item is new: what waited for it waits no more.
local function take_in_evidence(p, id)
  if redis.call('PERSIST', p .. 'fb:' .. id .. ':evidence') == 1 then sum_up(p, id) end
end
