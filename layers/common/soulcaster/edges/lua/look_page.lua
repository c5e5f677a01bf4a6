--#include pages
--#include points
-- A page of a project's clustered items, for a look at all of them. ARGV: project, cursor ('' = from
-- the top), about how many items. Returns {points, riders, clusters, next cursor or ''}: a rider is {id,
-- cluster, what it rides on, whether a correction holds it}; of the others see lib/points.lua.
local SCANNED = 20000 -- items gone through at most: many may wait to be clustered

local p, cursor, limit = 'p:' .. ARGV[1] .. ':', ARGV[2], tonumber(ARGV[3])
local points, riders, clusters, known = {}, {}, {}, {}

local function add(id)
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'cluster', 'rides', 'pins')
  local cluster = fb[1]
  if not cluster then return end
  if fb[2] then
    riders[#riders + 1] = { id, cluster, fb[2], (fb[3] or '') ~= '' and 1 or 0 }
  else
    points[#points + 1] = point(p, id)
  end
  if not known[cluster] then
    known[cluster] = true
    clusters[#clusters + 1] = cluster_of(p, cluster)
  end
end

local scanned = 0
repeat
  local room = limit - #points - #riders
  local ids
  ids, cursor = page_of(p .. 'fbs', cursor, math.max(room, math.floor(limit / 10)))
  for _, id in ipairs(ids) do add(id) end
  scanned = scanned + #ids
until cursor == '' or #points + #riders >= limit or scanned >= SCANNED
return { points, riders, clusters, cursor }
