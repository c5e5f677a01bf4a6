--#include audit
-- Notes that somebody wants a project looked at as a whole. ARGV: project, now. Returns 1, or 0 without
-- such a project.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return 0 end
audit(p, 'asked for a look', ARGV[1], nil, nil, ARGV[2])
return 1
