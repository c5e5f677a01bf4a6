-- What a project takes in: `intake:DAY` counts new `items` and `refused` ones of a UTC day.
local INTAKE_SECONDS = 40 * 24 * 60 * 60

-- New items of the day, items that wait to be clustered, and how many there may be of each: `per_day` and
-- `at_once` where the project, JSON, says nothing of it.
local function taken_in(p, project, day, per_day, at_once)
  local settings = project and cjson.decode(project) or {}
  return tonumber(redis.call('HGET', p .. 'intake:' .. day, 'items') or '0'), redis.call('ZCARD', p .. 'pending'),
    settings.items_per_day or tonumber(per_day), settings.pending_items or tonumber(at_once)
end

local function count_of_day(p, day, what, n)
  redis.call('HINCRBY', p .. 'intake:' .. day, what, n)
  redis.call('EXPIRE', p .. 'intake:' .. day, INTAKE_SECONDS)
end

-- Counts `n` deliveries of a source as refused.
local function count_refused(p, day, source, n)
  count_of_day(p, day, 'refused', n)
  redis.call('HINCRBY', p .. 'source:' .. source, 'refused', n)
end
