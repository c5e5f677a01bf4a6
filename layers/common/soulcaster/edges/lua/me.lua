-- What the caller is: see lib/admit.lua, which knew it. ARGV: '' (no project).
-- Returns {whether the installation has an owner, whether the caller is one, {project's JSON, role} for each
-- project, scopes (comma-separated), when the key expires or ''}; a key has no role.
local claimed = redis.call('EXISTS', 'sys:owners')
local found = {}
local function add(id, role)
  local project = redis.call('GET', 'p:' .. id .. ':project')
  if project and role then found[#found + 1] = { project, role } end
end
if caller.by == 'key' then
  local scopes = {}
  for scope in pairs(caller.scopes) do scopes[#scopes + 1] = scope end
  add(caller.project, '')
  return { claimed, 0, found, table.concat(scopes, ','), caller.expires }
end
local ids = redis.call('SMEMBERS', caller.owner and 'sys:projects' or 'sys:person:' .. caller.id .. ':projects')
table.sort(ids)
for _, id in ipairs(ids) do
  add(id, caller.owner and 'owner' or redis.call('HGET', 'p:' .. id .. ':roles', caller.id))
end
return { claimed, caller.owner and 1 or 0, found, '', '' }
