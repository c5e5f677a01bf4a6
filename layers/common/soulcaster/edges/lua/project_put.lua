-- Makes or changes a project. ARGV: project, JSON, "new" (it must not exist) or "old" (it must).
-- Returns 1, or 0 when it does (not) exist.
local key = 'p:' .. ARGV[1] .. ':project'
if (redis.call('EXISTS', key) == 1) ~= (ARGV[3] == 'old') then return 0 end
redis.call('SET', key, ARGV[2])
redis.call('SADD', 'sys:projects', ARGV[1])
return 1
