-- A sign of life, or a note on a job that stays in its state.
-- ARGV: project, job, attempt, state, due, JSON object of fields. Returns 1, or 0 when stale.
local job = 'p:' .. ARGV[1] .. ':job:' .. ARGV[2]
local now = redis.call('HMGET', job, 'state', 'attempt')
if now[1] ~= ARGV[4] or now[2] ~= ARGV[3] then return 0 end
for field, value in pairs(cjson.decode(ARGV[6])) do redis.call('HSET', job, field, value) end
redis.call('ZADD', 'sys:jobs', ARGV[5], ARGV[2])
return 1
