--#include correction
-- Takes a correction back, whatever came after it. ARGV: project, now, who, why, number of the
-- correction. Returns what lib/correction.lua says.
local p, now, seq = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[5]
local cor = redis.call('HMGET', p .. 'cor:' .. seq, 'verb', 'into', 'out_of', 'items', 'kind',
  'undone_at')
if not cor[1] then return missing('correction') end
local verb, into, from, items = cor[1], cor[2], cjson.decode(cor[3]), cjson.decode(cor[4])
if cor[6] then return conflict('it was undone already') end

-- What a merge brought along is now in what its cluster has become.
local concerned = items
if verb == 'merge' then
  concerned = redis.call('ZRANGE', p .. 'cl:' .. root(p, into) .. ':items', 0, -1)
end
local plan, touched = {}, {}
for _, id in ipairs(concerned) do
  -- It may have been withdrawn since.
  if redis.call('EXISTS', p .. 'fb:' .. id) == 1 then
    plan[#plan + 1] = { id = id, to = where(p, id, seq) }
  end
end
local busy = bereft(p, plan)
if busy then return conflict(busy .. ' has a live job') end

if verb == 'merge' then
  for _, cluster in ipairs(from) do
    redis.call('HDEL', p .. 'cl:' .. cluster, 'merged_by')
    return_jobs(p, into, cluster)
  end
end
for _, id in ipairs(items) do unsay(p, id, seq) end
unpin_all(p, seq)
carry_out(p, plan, now, touched)
describe_all(p, touched, now)
teach(p, verb, cor[5], -1)
redis.call('HSET', p .. 'cor:' .. seq, 'undone_at', now, 'undone_by', ARGV[3],
  'undone_why', ARGV[4])
audit(p, 'undid correction', 'cor_' .. ARGV[1] .. '_' .. seq, { verb = verb, into = into, out_of = from }, nil, now)
return answer(p, 'made', seq)
