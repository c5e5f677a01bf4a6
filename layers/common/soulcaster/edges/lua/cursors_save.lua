-- Remembers how far sources were polled. ARGV: JSON array of {project, source, cursor}.
for _, it in ipairs(cjson.decode(ARGV[1])) do
  redis.call('HSET', 'p:' .. it[1] .. ':cursors', it[2], it[3])
end
return 1
