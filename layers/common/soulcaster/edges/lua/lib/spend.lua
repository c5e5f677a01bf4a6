-- What a project's jobs of a day cost, in micro-dollars: `reserved` by those that have not ended, `spent`
-- by those that have. Both are kept for as long as people may want to look back.
local SPEND_DAYS = 400

local function spend_key(p, day) return p .. 'spend:' .. day end

local function reserve(p, day, budget)
  local key = spend_key(p, day)
  redis.call('HINCRBY', key, 'jobs', 1)
  redis.call('HINCRBY', key, 'reserved', budget)
  redis.call('EXPIRE', key, SPEND_DAYS * 86400)
end

-- The job has ended: its cost takes the place of what was set aside for it. What a task did not
-- report counts as all that it was allowed to spend.
local function settle(p, job)
  local is = redis.call('HMGET', job, 'day', 'budget', 'charged', 'granted', 'spent', 'exact')
  local charged = tonumber(is[3] or '0')
  local cost = charged + tonumber((is[6] and is[5] or is[4]) or '0')
  local known = charged == 0 and (is[6] == '1' or not is[4])
  redis.call('HSET', job, 'cost', string.format('%.0f', cost), 'cost_exact', known and '1' or '0')
  if not is[1] then return end
  local key = spend_key(p, is[1])
  redis.call('HINCRBY', key, 'reserved', string.format('%.0f', -tonumber(is[2] or '0')))
  redis.call('HINCRBY', key, 'spent', string.format('%.0f', cost))
end
