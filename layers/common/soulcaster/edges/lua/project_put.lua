--#include member
--#include audit
-- Makes or changes a project. ARGV: project, JSON, "new" (it must not exist) or "old" (it must), now.
-- Who makes one is its first owner. Returns 1, or 0 when it does (not) exist.
local p = 'p:' .. ARGV[1] .. ':'
local was = redis.call('GET', p .. 'project')
if (was ~= false) ~= (ARGV[3] == 'old') then return 0 end
redis.call('SET', p .. 'project', ARGV[2])
redis.call('SADD', 'sys:projects', ARGV[1])
if not was and caller and caller.by == 'person' then
  put_member(p, ARGV[1], caller.id, 'owner', cjson.encode({ name = caller.name, since = tonumber(ARGV[4]) }))
end
if was ~= ARGV[2] then
  audit(p, was and 'changed project' or 'made project', ARGV[1], was or nil, ARGV[2], ARGV[4])
end
return 1
