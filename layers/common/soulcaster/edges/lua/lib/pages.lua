-- The script's arguments from number `first` on.
local function rest(first)
  local found = {}
  for i = first, #ARGV do found[#found + 1] = ARGV[i] end
  return found
end

-- A page of an index, highest score first, after `cursor` ('' = from the top, else "score:id" of the
-- last one seen). Returns the ids, and the next cursor or ''.
local function page_of(index, cursor, limit)
  local start = 0
  if cursor ~= '' then
    local score, id = cursor:match('^([^:]+):(.+)$')
    if redis.call('ZSCORE', index, id) == score then
      start = redis.call('ZREVRANK', index, id) + 1
    else -- it is gone or has moved: go on below where it was, by id among those of its score
      start = redis.call('ZCOUNT', index, '(' .. score, '+inf')
      local stop = redis.call('ZCOUNT', index, score, '+inf')
      while start < stop do
        local middle = math.floor((start + stop) / 2)
        if redis.call('ZREVRANGE', index, middle, middle)[1] > id then
          start = middle + 1
        else
          stop = middle
        end
      end
    end
  end
  local found = redis.call('ZREVRANGE', index, start, start + limit, 'WITHSCORES')
  local ids, next_cursor = {}, ''
  for i = 1, math.min(#found, 2 * limit), 2 do ids[#ids + 1] = found[i] end
  if #found > 2 * limit then next_cursor = found[2 * limit] .. ':' .. found[2 * limit - 1] end
  return ids, next_cursor
end
