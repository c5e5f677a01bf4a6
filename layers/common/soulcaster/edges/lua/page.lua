-- A page of a list, highest score first. ARGV: project, index, record prefix, cursor ('' = from
-- the top, else "score:id" of the last record seen), limit, record fields…
-- Returns {} without such a project, else {records, next cursor or '', how many there are in all}; a record is its fields' values.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local index, limit = p .. ARGV[2], tonumber(ARGV[5])
local start = 0
if ARGV[4] ~= '' then
  local score, id = ARGV[4]:match('^([^:]+):(.+)$')
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
local fields = {}
for i = 6, #ARGV do fields[#fields + 1] = ARGV[i] end
local found = redis.call('ZREVRANGE', index, start, start + limit, 'WITHSCORES')
local records, cursor = {}, ''
for i = 1, math.min(#found, 2 * limit), 2 do
  records[#records + 1] = redis.call('HMGET', p .. ARGV[3] .. found[i], unpack(fields))
end
if #found > 2 * limit then cursor = found[2 * limit] .. ':' .. found[2 * limit - 1] end
return { records, cursor, redis.call('ZCARD', index) }
