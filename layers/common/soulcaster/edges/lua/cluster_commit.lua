--#include lease
--#include members
--#include named
--#include referee
--#include riders
-- Writes what a batch decided, all of it or nothing, and gives the lease back.
-- ARGV: project, owner, fence, now, JSON array of {id, text_hash} with `cluster` and `why` for those
-- that join one, `rides` for what rides on another of that fingerprint, `marks` and `names` for those
-- that were embedded; riders after what they ride on. JSON array of names (lib/named.lua), JSON
-- array of {id, vector}, until when (ms) those vectors are kept as recent, JSON array of {cluster,
-- how often it was looked at closely}, whether a second look is due ('1') while more is pending, and
-- whether when not, the day and how many of its pairs no referee was asked about after all, JSON array
-- of ids whose vectors the index has deleted.
-- Returns {newly clustered, still pending here, projects with pending items, whether a look is due}; an
-- error STALE when the lease was lost.
local p = 'p:' .. ARGV[1] .. ':'
if not holds(p, ARGV[2], ARGV[3]) then
  return redis.error_reply('STALE the lease on ' .. ARGV[1] .. ' was lost')
end

local touched = {}

-- What has become of the cluster since the batch was read decides, not what the batch saw.
local function join(it, home)
  local cluster = root(p, home)
  redis.call('HSET', p .. 'fb:' .. it.id, 'home', home, 'why', it.why)
  carry_out(p, { { id = it.id, to = cluster } }, ARGV[4], touched)
  came_back(p, cluster, it.id, ARGV[4])
  redis.call('HINCRBY', p .. 'counts', 'clustered', 1)
  return true
end

-- A rider goes where what it rides on belongs, so that undoing a correction takes both back.
local function board(it, fp)
  if stands_for(p, fp) ~= it.rides then return false end
  ride(p, it.id, it.rides)
  local on = redis.call('HMGET', p .. 'fb:' .. it.rides, 'places', 'home')
  local said = cjson.decode(on[1] or '[]')
  return join(it, #said > 0 and said[#said][2] or on[2])
end

-- Whether the item is newly in a cluster, and whether it is done with.
local function settle(it)
  local key = p .. 'fb:' .. it.id
  local fb = redis.call('HMGET', key, 'text_hash', 'cluster', 'fp')
  if not fb[1] then return false, true end -- withdrawn since
  -- Edited while it was being embedded: it stays pending for its new text.
  local edited = fb[1] ~= it.text_hash
  if it.rides then
    if edited or fb[2] then return false, false end
    local boarded = board(it, fb[3] or '')
    return boarded, boarded
  end
  redis.call('HSET', key, 'marks', it.marks, 'names', it.names)
  if not edited and (fb[3] or '') ~= '' then redis.call('HSETNX', p .. 'fps', fb[3], it.id) end
  return it.cluster and not fb[2] and join(it, it.cluster), not edited
end

local clustered = 0
for _, it in ipairs(cjson.decode(ARGV[5])) do
  local joined, done = settle(it)
  if joined then clustered = clustered + 1 end
  if done then redis.call('ZREM', p .. 'pending', it.id) end
end
describe_all(p, touched, ARGV[4])
name_all(p, cjson.decode(ARGV[6]))
for _, r in ipairs(cjson.decode(ARGV[7])) do
  if redis.call('SISMEMBER', p .. 'gone', r.id) == 0 then -- else it was withdrawn since
    redis.call('ZADD', p .. 'recent', ARGV[8], r.id)
    redis.call('HSET', p .. 'recent:vectors', r.id, r.vector)
  end
end
-- An answer has a size. When more than this come within the index's lag, the oldest of them can't
-- be seen by the next batch until the index shows them.
for _, id in ipairs(redis.call('ZRANGE', p .. 'recent', 0, -2001)) do
  redis.call('ZREM', p .. 'recent', id)
  redis.call('HDEL', p .. 'recent:vectors', id)
end
for _, id in ipairs(cjson.decode(ARGV[14])) do redis.call('SREM', p .. 'gone', id) end
give_back(p, ARGV[12], ARGV[13])
redis.call('DEL', p .. 'lease', p .. 'tried')
local pending = redis.call('ZCARD', p .. 'pending')
if redis.call('EXISTS', p .. 'pending', p .. 'gone') == 0 then
  redis.call('SREM', 'sys:pending', ARGV[1])
end

for _, one in ipairs(cjson.decode(ARGV[9])) do
  -- Below zero, so that the most touched come first and equals in the order of their names.
  redis.call('ZINCRBY', p .. 'touched', -one[2], root(p, one[1]))
end
redis.call('HINCRBY', p .. 'look', 'since', clustered)
redis.call('HINCRBY', p .. 'look', 'burst', clustered)
if pending == 0 then redis.call('HSET', p .. 'look', 'burst', 0) end
if (pending > 0 and ARGV[10] or ARGV[11]) == '1' then
  redis.call('ZADD', 'sys:looks', ARGV[4], ARGV[1])
end
return { clustered, pending, redis.call('SCARD', 'sys:pending'),
  redis.call('ZSCORE', 'sys:looks', ARGV[1]) and 1 or 0 }
