-- Every source that is polled, with its cursor, its project, and what the project has taken. ARGV: day.
-- Returns {{source JSON, cursor or '', project JSON, new items of the day, pending items, when something
-- was last wrong with it or '0'}…}.
local found = {}
local ids = redis.call('SMEMBERS', 'sys:polled')
table.sort(ids)
for _, id in ipairs(ids) do
  local p = 'p:' .. id:match('^src_([a-z0-9-]+)_') .. ':'
  local source, project = redis.call('HGET', p .. 'sources', id), redis.call('GET', p .. 'project')
  if source and project then
    found[#found + 1] = { source, redis.call('HGET', p .. 'cursors', id) or '', project,
      redis.call('HGET', p .. 'intake:' .. ARGV[1], 'items') or '0', redis.call('ZCARD', p .. 'pending'),
      redis.call('HGET', p .. 'source:' .. id, 'last_error_at') or '0' }
  end
end
return found
