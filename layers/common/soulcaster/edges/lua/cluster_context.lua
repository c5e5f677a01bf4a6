--#include points
--#include referee
-- The neighbourhood of a batch. Notes that vectors of pending items may soon be in the index.
-- ARGV: project, JSON array of neighbours, the nearest first, JSON array of items of whose clusters
-- only the size is wanted, points of one cluster and in all at most, the day, how many pairs a
-- referee may be asked about on it, and how many of them by a batch.
-- Returns {{item, its cluster}…} for all of those that are in one, points, and clusters (see
-- lib/points.lua), how many pairs this batch may have judged, and if any {point, beginning of its
-- text}….
local p = 'p:' .. ARGV[1] .. ':'
local each, room = tonumber(ARGV[4]), tonumber(ARGV[5])
local places, members, clusters, seen, known = {}, {}, {}, {}, {}

local function cluster_at(id)
  local cluster = redis.call('HGET', p .. 'fb:' .. id, 'cluster')
  if not cluster then return nil end
  places[#places + 1] = { id, cluster }
  if not known[cluster] then
    known[cluster] = true
    clusters[#clusters + 1] = cluster_of(p, cluster)
  end
  return cluster
end

for _, id in ipairs(cjson.decode(ARGV[2])) do
  local cluster = cluster_at(id)
  if cluster and not seen[cluster] then
    local found = spaced(p, cluster, each)
    if #found <= room then
      seen[cluster] = true
      room = room - #found
      for _, member in ipairs(found) do members[#members + 1] = point(p, member) end
    end
  end
end
for _, id in ipairs(cjson.decode(ARGV[3])) do cluster_at(id) end
redis.call('SET', p .. 'tried', 1)
local texts, asks = {}, 0
if #members > 0 then asks = granted(p, ARGV[6], ARGV[7], ARGV[8]) end
if asks > 0 then
  for _, member in ipairs(members) do
    local text = redis.call('HGET', p .. 'fb:' .. member[1], 'text') or ''
    texts[#texts + 1] = { member[1], beginning(text, 600) }
  end
end
return { places, members, clusters, asks, texts }
