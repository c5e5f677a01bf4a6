-- Every source that is polled, with its cursor and its project.
-- Returns {{source JSON, cursor or '', project JSON}…}.
local found = {}
local ids = redis.call('SMEMBERS', 'sys:polled')
table.sort(ids)
for _, id in ipairs(ids) do
  local p = 'p:' .. id:match('^src_([a-z0-9-]+)_') .. ':'
  local source = redis.call('HGET', p .. 'sources', id)
  if source then
    found[#found + 1] = { source, redis.call('HGET', p .. 'cursors', id) or '',
      redis.call('GET', p .. 'project') or '' }
  end
end
return found
