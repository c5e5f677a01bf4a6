-- What a project has taken in on a day. ARGV: project, day.
-- Returns '' when there is no such project, else {its JSON, new items, refused, pending items}.
local p = 'p:' .. ARGV[1] .. ':'
local project = redis.call('GET', p .. 'project')
if not project then return '' end
local counted = redis.call('HMGET', p .. 'intake:' .. ARGV[2], 'items', 'refused')
return { project, counted[1] or '0', counted[2] or '0', redis.call('ZCARD', p .. 'pending') }
