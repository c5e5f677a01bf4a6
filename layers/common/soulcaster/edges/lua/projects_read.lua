-- JSON of every project, by id: of a person's, if one asks, or of the one that a key is for, if it may read.
local ids
if caller and caller.by == 'key' then
  ids = caller.scopes.read and { caller.project } or {}
elseif caller and not caller.owner then
  ids = redis.call('SMEMBERS', 'sys:person:' .. caller.id .. ':projects')
else
  ids = redis.call('SMEMBERS', 'sys:projects')
end
table.sort(ids)
local found = {}
for _, id in ipairs(ids) do found[#found + 1] = redis.call('GET', 'p:' .. id .. ':project') or nil end
return found
