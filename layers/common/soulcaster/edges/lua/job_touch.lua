-- A sign of life, or a note on a job that stays in its state. Past its deadline a running job gives
-- none: whatever its task says, the reaper then ends it.
-- ARGV: project, job, attempt, state, now, due, JSON object of fields. Returns 1, or 0 when stale.
local job = 'p:' .. ARGV[1] .. ':job:' .. ARGV[2]
local is = redis.call('HMGET', job, 'state', 'attempt', 'deadline')
if is[1] ~= ARGV[4] or is[2] ~= ARGV[3] then return 0 end
local due, deadline = tonumber(ARGV[6]), is[3] and tonumber(is[3])
if deadline and is[1] == 'running' then
  if tonumber(ARGV[5]) > deadline then return 0 end
  due = math.min(due, deadline + 1)
end
for field, value in pairs(cjson.decode(ARGV[7])) do redis.call('HSET', job, field, value) end
redis.call('ZADD', 'sys:jobs', string.format('%.0f', due), ARGV[2])
return 1
