--#include pages
--#include trend
-- A page of a project's clusters. ARGV: project, index, cursor ('' = from the top), limit, today,
-- days of the trend, record fields… Returns {} without such a project, else {records, next cursor or
-- '', how many there are in all}; a record is {its fields' values, reports by day}.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local index = p .. ARGV[2]
local ids, cursor = page_of(index, ARGV[3], tonumber(ARGV[4]))
local fields = rest(7)
local records = {}
for _, id in ipairs(ids) do
  local cl = p .. 'cl:' .. id
  records[#records + 1] = { redis.call('HMGET', cl, unpack(fields)),
    trend(cl .. ':days', tonumber(ARGV[5]), tonumber(ARGV[6])) }
end
return { records, cursor, redis.call('ZCARD', index) }
