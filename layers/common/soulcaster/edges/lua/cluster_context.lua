-- Which clusters a batch's neighbours are in, and what those clusters are called.
-- ARGV: project, JSON array of feedback ids. Returns {{id, cluster, title}…} for those that
-- are in a cluster, and {{cluster, size, named_size}…}.
local p = 'p:' .. ARGV[1] .. ':'
local members, clusters, known = {}, {}, {}
for _, id in ipairs(cjson.decode(ARGV[2])) do
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'cluster', 'title')
  local cluster = fb[1]
  if cluster then
    members[#members + 1] = { id, cluster, fb[2] or '' }
    if not known[cluster] then
      known[cluster] = true
      clusters[#clusters + 1] = { cluster, redis.call('ZCARD', p .. 'cl:' .. cluster .. ':items'),
        redis.call('HGET', p .. 'cl:' .. cluster, 'named_size') or '0' }
    end
  end
end
return { members, clusters }
