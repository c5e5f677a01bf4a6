--#include source
-- One source with its health. ARGV: project, source id, "1" when the project has it anyway.
-- Returns '' when there is no such project or source, else what lib/source.lua says of it.
local p = 'p:' .. ARGV[1] .. ':'
local stored = redis.call('HGET', p .. 'sources', ARGV[2])
if redis.call('EXISTS', p .. 'project') == 0 or not (stored or ARGV[3] == '1') then return '' end
return described(p, ARGV[2], stored)
