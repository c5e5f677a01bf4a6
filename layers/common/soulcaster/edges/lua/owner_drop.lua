--#include audit
-- Has a person own the installation no more. ARGV: '' (no project), person, now.
-- Returns missing (they don't), last (who has to stay) or done.
local shown = redis.call('HGET', 'sys:owners', ARGV[2])
if not shown then return 'missing' end
if redis.call('HLEN', 'sys:owners') == 1 then return 'last' end
redis.call('HDEL', 'sys:owners', ARGV[2])
audit('sys:', 'removed owner of the installation', ARGV[2], { name = cjson.decode(shown).name }, nil, ARGV[3])
return 'done'
