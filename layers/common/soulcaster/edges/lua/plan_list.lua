-- All versions of a cluster's plan. ARGV: project, cluster. Returns {} without such a cluster, else
-- {the version that fixes run on or '', {version as JSON, newest first…}}.
local cl = 'p:' .. ARGV[1] .. ':cl:' .. ARGV[2]
if redis.call('EXISTS', cl) == 0 then return {} end
local versions, plans = redis.call('LRANGE', cl .. ':plans', 0, -1), {}
for i = #versions, 1, -1 do plans[#plans + 1] = versions[i] end
return { redis.call('HGET', cl, 'plan') or '', plans }
