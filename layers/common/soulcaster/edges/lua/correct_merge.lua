--#include correction
-- A person puts clusters together for good. ARGV: project, now, who, why, the cluster that stays,
-- JSON array of the clusters that go into it. Clusters that were merged stand for what they have
-- become. Returns what lib/correction.lua says.
local project, now, wanted, others = ARGV[1], ARGV[2], ARGV[5], cjson.decode(ARGV[6])
local p = 'p:' .. project .. ':'

-- The number of the newest merge on the way from `cluster` to what it has become.
local function merged_by(cluster)
  local newest = 0
  while true do
    local edge = redis.call('HMGET', p .. 'cl:' .. cluster, 'merged_by', 'merged_into')
    if not edge[1] then return newest end
    newest = math.max(newest, tonumber(edge[1]))
    cluster = edge[2]
  end
end

if redis.call('EXISTS', p .. 'cl:' .. wanted) == 0 then return missing('cluster') end
local into = root(p, wanted)
local from, known, before = {}, { [into] = true }, merged_by(wanted)
for _, other in ipairs(others) do
  if redis.call('EXISTS', p .. 'cl:' .. other) == 0 then return missing('cluster') end
  if other == wanted then return conflict(other .. ' cannot be merged with itself') end
  before = math.max(before, merged_by(other))
  local cluster = root(p, other)
  if not known[cluster] then
    known[cluster] = true
    from[#from + 1] = cluster
  end
end
if #from == 0 then return answer(p, 'same', before) end
for cluster in pairs(known) do
  if is_empty(p, cluster) then return conflict(cluster .. ' has no items any more') end
end
for _, cluster in ipairs(from) do
  if redis.call('HEXISTS', p .. 'cl:' .. cluster, 'job') == 1 then
    return conflict(cluster .. ' has a live job')
  end
end

local seq = tostring(redis.call('INCR', p .. 'corrections:seq'))
local one = redis.call('ZRANGE', p .. 'cl:' .. from[1] .. ':items', 0, 0)[1]
note(p, project, seq, { verb = 'merge', who = ARGV[3], at = now, why = ARGV[4], into = into,
  from = from, items = {}, one = one })
pin_all(p, into, seq)
local plan, touched = {}, {}
for _, cluster in ipairs(from) do
  pin_all(p, cluster, seq)
  for _, id in ipairs(redis.call('ZRANGE', p .. 'cl:' .. cluster .. ':items', 0, -1)) do
    plan[#plan + 1] = { id = id, to = into }
  end
  redis.call('HSET', p .. 'cl:' .. cluster, 'merged_by', seq, 'merged_into', into)
  adopt_jobs(p, into, cluster)
end
carry_out(p, plan, now, touched)
describe_all(p, touched, now)
return answer(p, 'made', seq)
