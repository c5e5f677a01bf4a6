--#include import
--#include audit
-- Makes an import that waits for its file. ARGV: project, id, format, name, by, now.
-- Returns 0 when there is no such project, else 1.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return 0 end
redis.call('HSET', import_key(p, ARGV[2]), 'id', ARGV[2], 'format', ARGV[3], 'name', ARGV[4], 'by', ARGV[5],
  'created', ARGV[6], 'turn', 0)
import_is(import_key(p, ARGV[2]), 'waiting', '', ARGV[6])
redis.call('ZADD', p .. 'imps', ARGV[6], ARGV[2])
audit(p, 'made import', ARGV[2], nil, { format = ARGV[3], name = ARGV[4] }, ARGV[6])
return 1
