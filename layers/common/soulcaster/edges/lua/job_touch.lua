-- A note on a job that stays in its state, and when the reaper should look at it.
-- ARGV: project, job, attempt, states (",a,b,"), due ('' to leave it), JSON object of fields.
-- Returns 1, or 0 when it is elsewhere by now.
local job = 'p:' .. ARGV[1] .. ':job:' .. ARGV[2]
local is = redis.call('HMGET', job, 'state', 'attempt')
if not is[1] or is[2] ~= ARGV[3] or not ARGV[4]:find(',' .. is[1] .. ',', 1, true) then return 0 end
for field, value in pairs(cjson.decode(ARGV[6])) do redis.call('HSET', job, field, value) end
if ARGV[5] ~= '' then redis.call('ZADD', 'sys:jobs', ARGV[5], ARGV[2]) end
return 1
