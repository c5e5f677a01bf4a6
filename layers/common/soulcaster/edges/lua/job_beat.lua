-- A sign of life of a task at work, with what it has spent and written since. Past its deadline a job gives
-- none: whatever its task says, the reaper then ends it.
-- ARGV: project, job, attempt, states that a task works in (",a,b,"), now, patience in ms, JSON object of
-- what was spent (may be empty), micro-dollars that the attempt wants to be granted in all, from which entry
-- its log goes on, JSON array of entries, how many entries are kept.
-- Returns {} when stale, else {micro-dollars granted, how many entries are stored}.
local job = 'p:' .. ARGV[1] .. ':job:' .. ARGV[2]
local is = redis.call('HMGET', job, 'state', 'attempt', 'deadline', 'granted', 'budget', 'charged', 'spent')
if not is[1] or is[2] ~= ARGV[3] or not ARGV[4]:find(',' .. is[1] .. ',', 1, true) then return {} end
local now, deadline = tonumber(ARGV[5]), tonumber(is[3])
if now > deadline then return {} end

local spent = cjson.decode(ARGV[7])
-- Beats may arrive out of order: what was spent only grows.
if spent.spent and tonumber(spent.spent) >= tonumber(is[7] or '0') then
  for field, value in pairs(spent) do redis.call('HSET', job, field, value) end
end
local granted = tonumber(is[4] or '0')
local most = tonumber(is[5] or '0') - tonumber(is[6] or '0')
local wanted = math.min(tonumber(ARGV[8]), most)
if wanted > granted then
  granted = wanted
  redis.call('HSET', job, 'granted', string.format('%.0f', granted))
end

local log, from = job .. ':log:' .. ARGV[3], tonumber(ARGV[9])
local stored = redis.call('LLEN', log)
-- What comes again, as its answer was lost, is there already; what leaves a gap comes again.
if from <= stored then
  for n, entry in ipairs(cjson.decode(ARGV[10])) do
    if from + n > stored and stored < tonumber(ARGV[11]) then stored = redis.call('RPUSH', log, entry) end
  end
end
local due = math.min(now + tonumber(ARGV[6]), deadline + 1)
redis.call('ZADD', 'sys:jobs', string.format('%.0f', due), ARGV[2])
return { string.format('%.0f', granted), stored }
