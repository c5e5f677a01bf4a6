-- How many reports an item stands for, and on which days they came. All of it follows from the set
-- of its deliveries, whatever order they arrive in and however often.

local DAY_MS = 86400000

local function day_of(ms) return math.floor(tonumber(ms) / DAY_MS) end

local function by_day(text)
  local found = {}
  for day, n in pairs(cjson.decode(text or '{}')) do found[tonumber(day)] = n end
  return found
end

local function sorted_days(...)
  local known, days = {}, {}
  for _, counts in ipairs({ ... }) do
    for day in pairs(counts) do
      if not known[day] then days[#days + 1] = day end
      known[day] = true
    end
  end
  table.sort(days)
  return days
end

-- JSON; equal counts give equal text.
local function as_text(counts)
  local parts = {}
  for _, day in ipairs(sorted_days(counts)) do
    parts[#parts + 1] = string.format('"%.0f":%.0f', day, counts[day])
  end
  return '{' .. table.concat(parts, ',') .. '}'
end

-- `first_heard`, `first_count`: the earliest delivery, and the count that it gave. Notes too when
-- the highest count was first given (`top_at`), and the highest count of each day (`stated`), but
-- for those that an earlier day had already.
local function note_count(key, it)
  local was = redis.call('HMGET', key, 'first_heard', 'first_count', 'top', 'top_at', 'stated')
  local count, at = tonumber(it.occurrences), tonumber(it.received)
  local first, first_count = tonumber(was[1] or at), tonumber(was[2] or '0')
  if at < first or (at == first and count > first_count) or not was[1] then
    redis.call('HSET', key, 'first_heard', it.received, 'first_count', it.occurrences)
  end
  local top = tonumber(was[3] or '0')
  if count > top or (count == top and at < tonumber(was[4])) then
    redis.call('HSET', key, 'top', it.occurrences, 'top_at', it.received)
  end
  local stated, kept, highest = by_day(was[5]), {}, 0
  stated[day_of(at)] = math.max(stated[day_of(at)] or 0, count)
  for _, day in ipairs(sorted_days(stated)) do
    if stated[day] > highest then
      kept[day], highest = stated[day], stated[day]
    end
  end
  redis.call('HSET', key, 'stated', as_text(kept))
end

-- Some sources deliver each occurrence with an id. It counts on the day it was first delivered.
local function note_event(key, it)
  if it.occurrence_id == '' then return end
  local all = key .. ':events'
  local was = redis.call('HGET', all, it.occurrence_id)
  -- Enough to tell a flood from a trickle; past that only the source's own count grows.
  if not was and redis.call('HLEN', all) >= 10000 then return end
  if was and tonumber(was) <= tonumber(it.received) then return end
  redis.call('HSET', all, it.occurrence_id, it.received)
  local fb = redis.call('HMGET', key, 'events', 'event_at')
  local events = by_day(fb[1])
  local day = day_of(it.received)
  events[day] = (events[day] or 0) + 1
  if was then
    events[day_of(was)] = events[day_of(was)] - 1
  elseif tonumber(it.received) > tonumber(fb[2] or '0') then
    redis.call('HSET', key, 'event_at', it.received)
  end
  if was and events[day_of(was)] == 0 then events[day_of(was)] = nil end
  redis.call('HSET', key, 'events', as_text(events))
end

-- Counts a delivery of the item at `key`, whose `created` is up to date, and sets `days`: what the
-- first delivery reports counts on the day the item was created, or that day if it says that it will
-- be; what comes on top, on the day of the delivery that brings it. Sets `reports` and `occurrences`
-- to their sum, and `heard` to when the newest report came.
local function reported(key, it)
  note_count(key, it)
  note_event(key, it)
  local fb = redis.call('HMGET', key, 'created', 'first_heard', 'first_count', 'stated', 'events',
    'top_at', 'event_at')
  local total, highest, seen = tonumber(fb[3]), 0, 0
  local days = { [math.min(day_of(fb[1]), day_of(fb[2]))] = total }
  local stated, events = by_day(fb[4]), by_day(fb[5])
  for _, day in ipairs(sorted_days(stated, events)) do
    highest = math.max(highest, stated[day] or 0)
    seen = seen + (events[day] or 0)
    local now = math.max(highest, seen)
    if now > total then
      days[day] = (days[day] or 0) + now - total
      total = now
    end
  end
  local count = string.format('%.0f', total)
  redis.call('HSET', key, 'days', as_text(days), 'reports', count, 'occurrences', count,
    'heard', string.format('%.0f', math.max(tonumber(fb[6]), tonumber(fb[7] or '0'))))
end
