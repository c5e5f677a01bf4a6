-- Reports on each of the last `count` days, oldest first, from a hash of reports by day; '' is none.
-- `today` is a day number.
local function trend(key, today, count)
  local days = {}
  for ago = count - 1, 0, -1 do days[#days + 1] = string.format('%.0f', today - ago) end
  local found = redis.call('HMGET', key, unpack(days))
  for i, reports in ipairs(found) do found[i] = reports or '' end
  return found
end
