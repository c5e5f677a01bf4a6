--#include pages
-- A project's pending invitations, the newest first. ARGV: project, now, fields…
-- Returns {} without such a project, else {the fields' values of each}.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local found, fields = {}, rest(3)
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', p .. 'invitations', '+inf', '(' .. ARGV[2])) do
  found[#found + 1] = redis.call('HMGET', p .. 'invitation:' .. id, unpack(fields))
end
return { found }
