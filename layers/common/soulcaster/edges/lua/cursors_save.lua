-- Remembers how far sources were polled, of those that are still there; what last was wrong is over.
-- ARGV: JSON array of {project, source, cursor}.
for _, it in ipairs(cjson.decode(ARGV[1])) do
  local p = 'p:' .. it[1] .. ':'
  if redis.call('HEXISTS', p .. 'sources', it[2]) == 1 then
    redis.call('HSET', p .. 'cursors', it[2], it[3])
    redis.call('HDEL', p .. 'source:' .. it[2], 'last_error', 'last_error_at')
  end
end
return 1
