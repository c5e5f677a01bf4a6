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

-- The earliest delivery (`first_heard`) and the count that it gave (`first_count`).
local function note_first(key, heard, count)
  local was = redis.call('HMGET', key, 'first_heard', 'first_count')
  local at, first = tonumber(heard), tonumber(was[1] or heard)
  if not was[1] or at < first or (at == first and tonumber(count) > tonumber(was[2])) then
    redis.call('HSET', key, 'first_heard', heard, 'first_count', count)
  end
end

-- The highest count (`top`), and when it was first given (`top_at`).
local function note_top(key, heard, count)
  local was = redis.call('HMGET', key, 'top', 'top_at')
  local n, top = tonumber(count), tonumber(was[1] or '0')
  if n > top or (n == top and tonumber(heard) < tonumber(was[2])) then
    redis.call('HSET', key, 'top', count, 'top_at', heard)
  end
end

-- The highest count of each day (`stated`), but for those that an earlier day had already.
local function note_stated(key, counts)
  local stated, kept, highest = by_day(redis.call('HGET', key, 'stated')), {}, 0
  for day, n in pairs(counts) do stated[day] = math.max(stated[day] or 0, n) end
  for _, day in ipairs(sorted_days(stated)) do
    if stated[day] > highest then
      kept[day], highest = stated[day], stated[day]
    end
  end
  redis.call('HSET', key, 'stated', as_text(kept))
end

-- Some sources deliver each occurrence with an id. It counts on the day it was first delivered.
local function note_event(key, event, heard)
  local all = key .. ':events'
  local was = redis.call('HGET', all, event)
  -- Enough to tell a flood from a trickle; past that only the source's own count grows.
  if not was and redis.call('HLEN', all) >= 10000 then return end
  if was and tonumber(was) <= tonumber(heard) then return end
  redis.call('HSET', all, event, heard)
  local fb = redis.call('HMGET', key, 'events', 'event_at')
  local events = by_day(fb[1])
  local day = day_of(heard)
  events[day] = (events[day] or 0) + 1
  if was then
    events[day_of(was)] = events[day_of(was)] - 1
  elseif tonumber(heard) > tonumber(fb[2] or '0') then
    redis.call('HSET', key, 'event_at', heard)
  end
  if was and events[day_of(was)] == 0 then events[day_of(was)] = nil end
  redis.call('HSET', key, 'events', as_text(events))
end

-- Notes what a delivery says of how often the item at `key` was reported.
local function note_delivery(key, it)
  note_first(key, it.received, it.occurrences)
  note_top(key, it.received, it.occurrences)
  note_stated(key, { [day_of(it.received)] = tonumber(it.occurrences) })
  if it.occurrence_id ~= '' then note_event(key, it.occurrence_id, it.received) end
end

-- Notes all that deliveries of another item said: `theirs` is its record, `events` its events.
local function note_item(key, theirs, events)
  note_first(key, theirs.first_heard, theirs.first_count)
  note_top(key, theirs.top_at, theirs.top)
  note_stated(key, by_day(theirs.stated))
  for event, heard in pairs(events) do note_event(key, event, heard) end
end

-- Sets `days` of the item at `key`, whose `created` is up to date, from what was noted: what the
-- first delivery reports counts on the day the item was created, or that day if it says that it will
-- be; what comes on top, on the day of the delivery that brings it. Reports in its evidence (`said`)
-- count beside that. Sets `reports` and `occurrences` to their sum, and `heard` to when the newest
-- report came.
local function recount(key)
  local fb = redis.call('HMGET', key, 'created', 'first_heard', 'first_count', 'stated', 'events',
    'top_at', 'event_at', 'said', 'said_at')
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
  for day, n in pairs(by_day(fb[8])) do
    days[day] = (days[day] or 0) + n
    total = total + n
  end
  local count = string.format('%.0f', total)
  redis.call('HSET', key, 'days', as_text(days), 'reports', count, 'occurrences', count, 'heard',
    string.format('%.0f', math.max(tonumber(fb[6]), tonumber(fb[7] or '0'), tonumber(fb[9] or '0'))))
end
