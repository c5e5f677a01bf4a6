-- A project's sources. ARGV: project. Returns '' when there is no such project, else JSON texts.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return '' end
local found = redis.call('HVALS', p .. 'sources')
table.sort(found)
return found
