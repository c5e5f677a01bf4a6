--#include source
-- A project's sources with their health, by id. ARGV: project, ids of those that it has anyway….
-- Returns '' when there is no such project, else what lib/source.lua says of each.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return '' end
local stored, ids = {}, {}
local flat = redis.call('HGETALL', p .. 'sources')
for i = 1, #flat, 2 do
  stored[flat[i]] = flat[i + 1]
  ids[#ids + 1] = flat[i]
end
for i = 2, #ARGV do
  if not stored[ARGV[i]] then ids[#ids + 1] = ARGV[i] end
end
table.sort(ids)
for i, id in ipairs(ids) do ids[i] = described(p, id, stored[id]) end
return ids
