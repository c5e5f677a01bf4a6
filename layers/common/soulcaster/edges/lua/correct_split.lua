--#include correction
--#include words
-- A person takes items out of a cluster into a new one, for good. ARGV: project, now, who, why,
-- cluster, JSON array of different items. Returns what lib/correction.lua says.
local project, now, cluster, items = ARGV[1], ARGV[2], ARGV[5], cjson.decode(ARGV[6])
local p = 'p:' .. project .. ':'

-- The live correction that did the very same before, as its reply was lost.
local function made_before(from)
  local seq, made = latest(p, items[1])
  if not seq or made.verb ~= 'split' or root(p, made.from[1]) ~= from then return nil end
  for _, id in ipairs(items) do
    if latest(p, id) ~= seq then return nil end
  end
  return #items == #made.items and seq or nil
end

if redis.call('EXISTS', p .. 'cl:' .. cluster) == 0 then return missing('cluster') end
local from = root(p, cluster)
local elsewhere
for _, id in ipairs(items) do
  if redis.call('EXISTS', p .. 'fb:' .. id) == 0 then return missing('feedback') end
  if redis.call('HGET', p .. 'fb:' .. id, 'cluster') ~= from then elsewhere = id end
end
if elsewhere then
  local seq = made_before(from)
  if seq then return answer(p, 'same', seq) end
  return conflict(elsewhere .. ' is not in ' .. from)
end
if redis.call('ZCARD', p .. 'cl:' .. from .. ':items') <= #items then
  return conflict('nothing would be left in ' .. from)
end

local seq = tostring(redis.call('INCR', p .. 'corrections:seq'))
local into = 'cl_' .. project .. '_split-' .. seq
note(p, project, seq, { verb = 'split', who = ARGV[3], at = now, why = ARGV[4], into = into,
  from = { from }, items = items, one = items[1] })
pin_all(p, from, seq)
local plan, touched = {}, {}
for i, id in ipairs(items) do
  say(p, id, seq, into)
  plan[i] = { id = id, to = into }
end
carry_out(p, plan, now, touched)
redis.call('HSET', p .. 'cl:' .. into, 'name', redis.call('HGET', p .. 'fb:' .. items[1], 'title'),
  'summary', '', 'named_size', 1, 'named_by', 'title')
index_cluster_words(p, into, title_words(p, items[1]))
describe_all(p, touched, now)
return answer(p, 'made', seq)
