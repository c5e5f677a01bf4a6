--#include lease
-- Takes the lease on a project whose clusters are to be looked at again.
-- ARGV: project ('' = any for which that is due), owner, lease in ms, now, whether somebody asks for it
-- now ('1'), JSON array of projects to skip, the space of the embedding model's vectors.
-- Returns {} when none is due or free, else {project, fence, clustered items, recents, learned}; see
-- lib/lease.lua.
local function pick()
  if ARGV[5] == '1' then
    -- It was done, and the handler killed before it could say so.
    if redis.call('HGET', 'p:' .. ARGV[1] .. ':look', 'asked_by') == ARGV[2] then return nil end
    -- When somebody else holds the lease, it is still to be done after them.
    redis.call('ZADD', 'sys:looks', ARGV[4], ARGV[1])
  end
  local skip = {}
  for _, project in ipairs(cjson.decode(ARGV[6])) do skip[project] = true end
  for _, project in ipairs(redis.call('ZRANGE', 'sys:looks', 0, -1)) do
    if (ARGV[1] == '' or ARGV[1] == project) and not skip[project] then
      local p = 'p:' .. project .. ':'
      local fence = take(p, ARGV[2], ARGV[3])
      if fence then return project, p, fence end
    end
  end
end

local project, p, fence = pick()
if not project then return {} end
return { project, fence, redis.call('HGET', p .. 'counts', 'clustered') or '0',
  recent_vectors(p, ARGV[4]), learned(p, ARGV[7]) }
