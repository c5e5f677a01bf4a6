--#include audit
--#include pull
--#include slots
--#include spend
-- One transition of a job, fenced by its attempt.
-- ARGV: project, job, attempt ('*' for whichever it is), from (",a,b,"), to, now, due ('' = it ends), reason,
-- JSON object of further fields, states that hold a slot (",a,b,"), jobs of the installation and of a
-- project at once, when the reaper should look at a job that waits, and at one that was told to start.
-- Returns {outcome, state, attempt, task, tries, next job, next attempt}. `outcome` is moved, waiting (for a
-- slot: it stays queued), opening (its pull request is: it can't be cancelled), stale (another
-- attempt), refused (another state) or missing. The next job is one that waited for the slot that this one
-- left; its message is to be sent.
local p = 'p:' .. ARGV[1] .. ':'
local job = p .. 'job:' .. ARGV[2]
local to, now = ARGV[5], ARGV[6]
local is = redis.call('HMGET', job, 'state', 'attempt', 'cluster', 'task', 'tries', 'created', 'opening')
local state, attempt = is[1], is[2]
local function answer(outcome, is_now, next)
  return { outcome, is_now, attempt, is[4] or '', is[5] or 0, next and next[1] or '', next and next[2] or 0 }
end
if not state then return { 'missing', '', 0, '', 0, '', 0 } end
if ARGV[3] ~= '*' and attempt ~= ARGV[3] then return answer('stale', state) end
if not ARGV[4]:find(',' .. state .. ',', 1, true) then return answer('refused', state) end
if to == 'cancelled' and is[7] then return answer('opening', state) end

local function holds(which) return ARGV[10]:find(',' .. which .. ',', 1, true) ~= nil end
if to == 'starting' then
  if redis.call('SCARD', 'sys:slots') >= tonumber(ARGV[11]) or not has_room(p, ARGV[12], 0) then
    wait_for_slot(p, ARGV[1], ARGV[2], is[6])
    redis.call('ZADD', 'sys:jobs', ARGV[13], ARGV[2])
    return answer('waiting', state)
  end
  take_slot(p, ARGV[2])
end
wait_no_more(p, ARGV[1], ARGV[2])

if to == 'queued' then
  -- What the lost attempt spent since it last spoke is not known: what it was allowed to counts.
  redis.call('HINCRBY', job, 'charged', redis.call('HGET', job, 'granted') or '0')
  attempt = redis.call('HINCRBY', job, 'attempt', 1)
  redis.call('HDEL', job, 'task', 'tries', 'deadline', 'granted', 'spent', 'read', 'written', 'calls', 'summary',
    'patch_sha256', 'proof_sha256', 'verdict')
end
local fields = cjson.decode(ARGV[9])
redis.call('HSET', job, 'state', to, 'updated', now, 'reason', ARGV[8])
for field, value in pairs(fields) do redis.call('HSET', job, field, value) end
redis.call('RPUSH', job .. ':history',
  cjson.encode({ state = to, at = now, attempt = tonumber(attempt), reason = ARGV[8] }))
redis.call('HINCRBY', p .. 'counts', 'job:' .. state, -1)
redis.call('HINCRBY', p .. 'counts', 'job:' .. to, 1)

if to == 'cancelled' then audit(p, 'cancelled fix', ARGV[2], { state = state }, { state = to }, now) end

local cl = p .. 'cl:' .. is[3]
if ARGV[7] == '' then
  redis.call('ZREM', 'sys:jobs', ARGV[2])
  if redis.call('HGET', cl, 'job') == ARGV[2] then redis.call('HDEL', cl, 'job') end
  settle(p, job)
  for n = 1, tonumber(attempt) do redis.call('EXPIRE', job .. ':log:' .. n, 7 * 86400) end
else
  redis.call('ZADD', 'sys:jobs', ARGV[7], ARGV[2])
end
if to == 'pr_open' and fields.pr_number then
  local repository = redis.call('HGET', job, 'repository')
    or cjson.decode(redis.call('GET', p .. 'project')).repository
  redis.call('HSET', p .. 'pulls', repository:lower() .. '#' .. fields.pr_number, ARGV[2])
  follow_pull(p, ARGV[2], now)
end

local next
if holds(state) and not holds(to) then
  leave_slot(p, ARGV[2])
  next = next_waiting(ARGV[12], ARGV[14], {})
end
return answer('moved', to, next)
