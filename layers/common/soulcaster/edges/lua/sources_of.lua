-- Several sources by id. ARGV: JSON array of {project, source}. Returns JSON or '' for each.
local found = {}
for _, it in ipairs(cjson.decode(ARGV[1])) do
  found[#found + 1] = redis.call('HGET', 'p:' .. it[1] .. ':sources', it[2]) or ''
end
return found
