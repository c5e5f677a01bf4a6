--#include import
-- Ends a live import whose file can't be read. ARGV: project, id, reason, now.
local key = import_key('p:' .. ARGV[1] .. ':', ARGV[2])
local state = redis.call('HGET', key, 'state')
if state and not ENDED[state] then import_is(key, 'failed', ARGV[3], ARGV[4]) end
return 1
