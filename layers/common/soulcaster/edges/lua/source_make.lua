--#include audit
-- Makes a source. ARGV: project, source id, JSON, "1" when it is polled, how many a project may have,
-- now, JSON of what the log says of it.
-- Returns "made", "nowhere" (no such project), "taken" (there is one of that id) or "full".
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return 'nowhere' end
if redis.call('HEXISTS', p .. 'sources', ARGV[2]) == 1 then return 'taken' end
if redis.call('HLEN', p .. 'sources') >= tonumber(ARGV[5]) then return 'full' end
redis.call('HSET', p .. 'sources', ARGV[2], ARGV[3])
if ARGV[4] == '1' then redis.call('SADD', 'sys:polled', ARGV[2]) end
-- What came late from an earlier one of that id is not its own.
redis.call('DEL', p .. 'source:' .. ARGV[2])
audit(p, 'made source', ARGV[2], nil, ARGV[7], ARGV[6])
return 'made'
