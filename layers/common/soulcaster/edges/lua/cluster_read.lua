--#include trend
-- A cluster with its newest feedback and its jobs. ARGV: project, cluster, how many items, today,
-- days of the trend. Returns {} or {cluster fields and values, reports by day, {{head, open,
-- occurrences, cluster, received, created, why, evidence}…}, {job fields and values…}}.
local p = 'p:' .. ARGV[1] .. ':'
local cl = p .. 'cl:' .. ARGV[2]
local fields = redis.call('HGETALL', cl)
if #fields == 0 then return {} end
local items, jobs = {}, {}
for _, id in ipairs(redis.call('ZREVRANGE', cl .. ':items', 0, tonumber(ARGV[3]) - 1)) do
  items[#items + 1] = redis.call('HMGET', p .. 'fb:' .. id, 'id', 'head', 'open', 'occurrences',
    'cluster', 'received', 'created', 'why', 'evidence')
end
for _, id in ipairs(redis.call('LRANGE', cl .. ':jobs', -20, -1)) do
  jobs[#jobs + 1] = redis.call('HGETALL', p .. 'job:' .. id)
end
return { fields, trend(cl .. ':days', tonumber(ARGV[4]), tonumber(ARGV[5])), items, jobs }
