--#include root
--#include said
-- All that a task or the publisher needs of a job. ARGV: project, job, how many items, how much of each
-- one's evidence.
-- Returns {} or {job fields and values, cluster fields and values, project JSON, {{head, {what is reported
-- in its evidence…}}…}, items, plan JSON}.
local p = 'p:' .. ARGV[1] .. ':'
local key = p .. 'job:' .. ARGV[2]
local job = redis.call('HGETALL', key)
if #job == 0 then return {} end
local asked = redis.call('HMGET', key, 'cluster', 'plan')
-- The plan is the one of the cluster that was asked for; its items may be elsewhere by now.
local plan = (asked[2] or '') ~= ''
  and redis.call('LINDEX', p .. 'cl:' .. asked[1] .. ':plans', tonumber(asked[2]) - 1) or ''
local cl = p .. 'cl:' .. root(p, asked[1])
local docs = {}
for _, id in ipairs(redis.call('ZREVRANGE', cl .. ':items', 0, tonumber(ARGV[3]) - 1)) do
  docs[#docs + 1] = { redis.call('HGET', p .. 'fb:' .. id, 'head'),
    reports_in_evidence(p, id, tonumber(ARGV[4])) }
end
return { job, redis.call('HGETALL', cl), redis.call('GET', p .. 'project') or '', docs,
  redis.call('ZCARD', cl .. ':items'), plan }
