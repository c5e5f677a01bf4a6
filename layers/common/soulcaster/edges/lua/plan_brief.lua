--#include said
--#include standing
-- All that is needed to plan. ARGV: project, cluster, how many items, how much of each one's evidence.
-- Returns {'found', name, summary, project JSON, {{head, {what is reported in its evidence…}}…}, how many
-- versions of a plan there are}, else what lib/standing.lua says.
local p = 'p:' .. ARGV[1] .. ':'
local cl = p .. 'cl:' .. ARGV[2]
local cannot = standing(cl)
if cannot then return cannot end
local heads = {}
for _, id in ipairs(redis.call('ZREVRANGE', cl .. ':items', 0, tonumber(ARGV[3]) - 1)) do
  heads[#heads + 1] = { redis.call('HGET', p .. 'fb:' .. id, 'head'),
    reports_in_evidence(p, id, tonumber(ARGV[4])) }
end
local is = redis.call('HMGET', cl, 'name', 'summary')
return { 'found', is[1] or '', is[2] or '', redis.call('GET', p .. 'project'), heads,
  redis.call('LLEN', cl .. ':plans') }
