--#include lease
--#include members
--#include named
-- Writes what a second look came to, all of it or nothing, and gives the lease back. Nobody is moved who
-- is elsewhere by now or whom a correction holds.
-- ARGV: project, owner, fence, now, JSON array of {id, from, cluster, why, riders_why}, JSON array of
-- {from, cluster, why}: where the rest of an emptied cluster goes, JSON array of names
-- (lib/named.lua), the project's geometry ('' = as it was), items that there are, whether somebody has
-- asked for the look ('1').
-- Returns how many items were moved; an error STALE when the lease was lost.
local p = 'p:' .. ARGV[1] .. ':'
if not holds(p, ARGV[2], ARGV[3]) then
  return redis.error_reply('STALE the lease on ' .. ARGV[1] .. ' was lost')
end

local touched, moved = {}, 0

local function movable(id, from)
  return redis.call('HGET', p .. 'fb:' .. id, 'cluster') == from and not pinned(p, id)
end

-- Moves items out of one cluster, together. What a person has settled, an agent works on, or a pull
-- request is open for, is not
-- emptied.
local function move(from, to, plan)
  local cl, cluster = p .. 'cl:' .. from, root(p, to)
  local is = redis.call('HMGET', cl, 'status', 'job', 'pull')
  local empties = cluster ~= from and redis.call('ZCARD', cl .. ':items') == #plan
  if empties and (is[1] ~= 'open' or is[2] or is[3]) then return end
  for _, one in ipairs(plan) do
    redis.call('HSET', p .. 'fb:' .. one.id, 'home', to, 'why', one.why)
    one.to = cluster
  end
  carry_out(p, plan, ARGV[4], touched)
  moved = moved + #plan
end

for _, it in ipairs(cjson.decode(ARGV[5])) do
  if movable(it.id, it.from) then
    local plan = { { id = it.id, why = it.why } }
    for _, rider in ipairs(redis.call('SMEMBERS', p .. 'fb:' .. it.id .. ':riders')) do
      if movable(rider, it.from) then plan[#plan + 1] = { id = rider, why = it.riders_why } end
    end
    move(it.from, it.cluster, plan)
  end
end
for _, it in ipairs(cjson.decode(ARGV[6])) do
  local plan = {}
  for _, id in ipairs(redis.call('ZRANGE', p .. 'cl:' .. it.from .. ':items', 0, -1)) do
    if not pinned(p, id) then plan[#plan + 1] = { id = id, why = it.why } end
  end
  if #plan > 0 then move(it.from, it.cluster, plan) end
end
describe_all(p, touched, ARGV[4])
name_all(p, cjson.decode(ARGV[7]))
if ARGV[8] ~= '' then redis.call('SET', p .. 'geometry', ARGV[8]) end
redis.call('HSET', p .. 'look', 'since', 0, 'looked_at', ARGV[4], 'looked_total', ARGV[9])
redis.call('HINCRBY', p .. 'look', 'looks', 1)
if ARGV[10] == '1' then redis.call('HSET', p .. 'look', 'asked_by', ARGV[2]) end
redis.call('ZREM', 'sys:looks', ARGV[1])
redis.call('DEL', p .. 'lease', p .. 'touched')
return moved
