--#include correction
-- A person moves an item into another cluster, for good. ARGV: project, now, who, why, the cluster
-- that it is in, item, the cluster that it goes to. Returns what lib/correction.lua says.
local project, now, cluster, id, target = ARGV[1], ARGV[2], ARGV[5], ARGV[6], ARGV[7]
local p = 'p:' .. project .. ':'

for _, one in ipairs({ cluster, target }) do
  if redis.call('EXISTS', p .. 'cl:' .. one) == 0 then return missing('cluster') end
end
if redis.call('EXISTS', p .. 'fb:' .. id) == 0 then return missing('feedback') end
local from, into = root(p, cluster), root(p, target)
local is_in = redis.call('HGET', p .. 'fb:' .. id, 'cluster')
if is_in == into and cluster ~= target then
  -- A correction has done it already: perhaps this one, and its reply was lost.
  local seq, made = latest(p, id)
  if seq and root(p, made.from[1]) == from then return answer(p, 'same', seq) end
end
if is_in == into then return conflict(id .. ' is in ' .. into .. ' already') end
if is_in ~= from then return conflict(id .. ' is not in ' .. from) end
if is_empty(p, into) then return conflict(into .. ' has no items any more') end
local plan, touched = { { id = id, to = into } }, {}
if bereft(p, plan) then return conflict(from .. ' has a live job') end

local seq = tostring(redis.call('INCR', p .. 'corrections:seq'))
note(p, project, seq, { verb = 'move', who = ARGV[3], at = now, why = ARGV[4], into = into,
  from = { from }, items = { id }, one = id })
pin_all(p, from, seq)
pin_all(p, into, seq)
say(p, id, seq, into)
carry_out(p, plan, now, touched)
describe_all(p, touched, now)
return answer(p, 'made', seq)
