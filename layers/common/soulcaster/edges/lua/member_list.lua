-- Who belongs to a project. ARGV: project. Returns {} without such a project, else {person, role, JSON of
-- what is shown of them} for each.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local roles, found = redis.call('HGETALL', p .. 'roles'), {}
for i = 1, #roles, 2 do
  found[#found + 1] = { roles[i], roles[i + 1], redis.call('HGET', p .. 'members', roles[i]) or '{}' }
end
return { found }
