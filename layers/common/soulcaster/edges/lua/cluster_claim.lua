--#include lease
--#include riders
-- Takes the lease on a project with pending feedback, or with vectors of items that were withdrawn, and
-- reads what a batch needs.
-- ARGV: project ('' = any), owner, lease in ms, batch size, now, JSON array of projects to skip,
-- the space of the embedding model's vectors, how many vectors may be deleted.
-- Returns {} when there is nothing to do, else {project, fence, items, recents, whether vectors of
-- pending items may be in the index, learned, ids whose vectors are to be deleted}: an item is {id, title, text, text_hash, kind,
-- cluster, fingerprint, who stands for that, whose cluster}, a recent {id, vector}; of learned see
-- lib/lease.lua.
local function pick()
  local projects = ARGV[1] ~= '' and { ARGV[1] } or redis.call('SMEMBERS', 'sys:pending')
  local skip = {}
  for _, project in ipairs(cjson.decode(ARGV[6])) do skip[project] = true end
  table.sort(projects)
  for _, project in ipairs(projects) do
    local p = 'p:' .. project .. ':'
    if redis.call('EXISTS', p .. 'pending', p .. 'gone') == 0 then
      redis.call('SREM', 'sys:pending', project)
    elseif not skip[project] then
      local fence = take(p, ARGV[2], ARGV[3])
      if fence then return project, p, fence end
    end
  end
end

local project, p, fence = pick()
if not project then return {} end
local items = {}
for _, id in ipairs(redis.call('ZRANGE', p .. 'pending', 0, tonumber(ARGV[4]) - 1)) do
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'title', 'text', 'text_hash', 'kind', 'cluster',
    'fp')
  if fb[1] then
    local on, theirs = nil, nil
    if not fb[5] then on, theirs = stands_for(p, fb[6] or '') end
    items[#items + 1] = { id, fb[1], fb[2], fb[3], fb[4], fb[5] or '', fb[6] or '', on or '',
      theirs or '' }
  else
    redis.call('ZREM', p .. 'pending', id)
  end
end
return { project, fence, items, recent_vectors(p, ARGV[5]), redis.call('EXISTS', p .. 'tried'),
  learned(p, ARGV[7]), redis.call('SRANDMEMBER', p .. 'gone', ARGV[8]) }
