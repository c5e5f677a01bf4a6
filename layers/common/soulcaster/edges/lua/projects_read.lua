-- Every project's JSON, by id.
local found = {}
local ids = redis.call('SMEMBERS', 'sys:projects')
table.sort(ids)
for _, id in ipairs(ids) do found[#found + 1] = redis.call('GET', 'p:' .. id .. ':project') end
return found
