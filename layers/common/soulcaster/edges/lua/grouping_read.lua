--#include lease
-- What a project has taught the grouping. ARGV: project. Returns {} without such a project, else what
-- learned() of lib/lease.lua does, without the geometry.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local known = learned(p, '')
known[1] = ''
return known
