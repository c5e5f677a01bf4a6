-- Takes the lease on a project with pending feedback and reads what a batch needs.
-- ARGV: project ('' = any), owner, lease in ms, batch size, now, JSON array of projects to skip.
-- Returns {} when there is nothing to do, else {project, fence, items, recents}: an item is {id,
-- title, text, text_hash, source, created, cluster}, a recent {id, vector}.
local function pick()
  local projects = ARGV[1] ~= '' and { ARGV[1] } or redis.call('SMEMBERS', 'sys:pending')
  local skip = {}
  for _, project in ipairs(cjson.decode(ARGV[6])) do skip[project] = true end
  table.sort(projects)
  for _, project in ipairs(projects) do
    local p = 'p:' .. project .. ':'
    if redis.call('ZCARD', p .. 'pending') == 0 then
      redis.call('SREM', 'sys:pending', project)
    elseif not skip[project] then
      -- The same owner comes in again: it is the same delivery after its handler was killed.
      local holder = redis.call('GET', p .. 'lease')
      if not holder or holder == ARGV[2] then
        redis.call('SET', p .. 'lease', ARGV[2], 'PX', ARGV[3])
        return project, p
      end
    end
  end
end

local project, p = pick()
if not project then return {} end
local fence = redis.call('INCR', p .. 'fence')
local items = {}
for _, id in ipairs(redis.call('ZRANGE', p .. 'pending', 0, tonumber(ARGV[4]) - 1)) do
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'title', 'text', 'text_hash', 'source', 'created',
    'cluster')
  if fb[1] then
    items[#items + 1] = { id, fb[1], fb[2], fb[3], fb[4], fb[5], fb[6] or '' }
  else
    redis.call('ZREM', p .. 'pending', id)
  end
end
-- What the vector index may not show yet.
redis.call('ZREMRANGEBYSCORE', p .. 'recent', '-inf', '(' .. ARGV[5])
local recents = {}
local ids = redis.call('ZRANGE', p .. 'recent', 0, -1)
local held = {}
for _, id in ipairs(ids) do held[id] = true end
for _, id in ipairs(redis.call('HKEYS', p .. 'recent:vectors')) do
  if not held[id] then redis.call('HDEL', p .. 'recent:vectors', id) end
end
for _, id in ipairs(ids) do
  recents[#recents + 1] = { id, redis.call('HGET', p .. 'recent:vectors', id) or '' }
end
return { project, fence, items, recents }
