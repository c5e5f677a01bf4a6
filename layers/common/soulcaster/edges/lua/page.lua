--#include pages
-- A page of a list, highest score first. ARGV: project, index, record prefix, cursor ('' = from
-- the top, else "score:id" of the last record seen), limit, record fields…
-- Returns {} without such a project, else {records, next cursor or '', how many there are in all}; a record is its fields' values.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local index = p .. ARGV[2]
local ids, cursor = page_of(index, ARGV[4], tonumber(ARGV[5]))
local fields = rest(6)
local records = {}
for _, id in ipairs(ids) do
  records[#records + 1] = redis.call('HMGET', p .. ARGV[3] .. id, unpack(fields))
end
return { records, cursor, redis.call('ZCARD', index) }
