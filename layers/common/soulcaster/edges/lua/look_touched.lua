--#include points
-- Points of those clusters that batches came near to, the most touched first: what a look at a large
-- project takes in. ARGV: project, how many clusters were gone through before, points of one cluster
-- at most, points that there is room for, points of one answer. Returns {points, clusters, how many
-- were gone through now or '' when that is all}.
local p = 'p:' .. ARGV[1] .. ':'
local each, room, answer = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local points, clusters = {}, {}
local names = redis.call('ZRANGE', p .. 'touched', ARGV[2], -1)
for i, cluster in ipairs(names) do
  local count = math.min(redis.call('ZCARD', p .. 'cl:' .. cluster .. ':points'), each)
  if count > 0 and count <= room then
    if #points + count > answer then return { points, clusters, tostring(ARGV[2] + i - 1) } end
    for _, id in ipairs(spaced(p, cluster, each)) do points[#points + 1] = point(p, id) end
    clusters[#clusters + 1] = cluster_of(p, cluster)
    room = room - count
  end
end
return { points, clusters, '' }
