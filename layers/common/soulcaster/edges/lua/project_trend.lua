--#include trend
-- A project's reports by day. ARGV: project, today, how many days. Returns {} without such a project.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
return trend(p .. 'days', tonumber(ARGV[2]), tonumber(ARGV[3]))
