-- What a referee may be asked about a project's doubtful items, so many pairs a day.

local TWO_DAYS = 172800

-- Takes up to `most` pairs out of what is left of the day's. They count as asked from now on, so
-- that a batch that is cut off and run again can't ask more than the day has.
local function granted(p, day, per_day, most)
  local key = p .. 'referee:' .. day
  local left = tonumber(per_day) - tonumber(redis.call('GET', key) or '0')
  local taken = math.max(math.min(left, tonumber(most)), 0)
  if taken > 0 then
    redis.call('INCRBY', key, taken)
    redis.call('EXPIRE', key, TWO_DAYS)
  end
  return taken
end

local function give_back(p, day, pairs)
  local key = p .. 'referee:' .. day
  if tonumber(pairs) > 0 and redis.call('EXISTS', key) == 1 then
    redis.call('DECRBY', key, pairs)
  end
end

-- About so many bytes from the beginning of a text, whole characters of UTF-8.
local function beginning(text, bytes)
  if #text <= bytes then return text end
  while bytes > 0 and text:byte(bytes + 1) >= 128 and text:byte(bytes + 1) < 192 do
    bytes = bytes - 1
  end
  return text:sub(1, bytes)
end
