--#include audit
-- Ends a key at once; what is kept of it opens nothing. To say it again changes nothing.
-- ARGV: project, the key's id, now. Returns 1, or 0 when there is no such key.
local p, id, now = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[3]
local key = p .. 'key:' .. id
if redis.call('EXISTS', key) == 0 then return 0 end
if redis.call('HEXISTS', key, 'revoked') == 1 then return 1 end
redis.call('HSET', key, 'revoked', now)
redis.call('HDEL', key, 'mac', 'old_mac', 'old_until')
redis.call('ZREM', p .. 'keys:live', id)
audit(p, 'revoked key', id, nil, { name = redis.call('HGET', key, 'name') }, now)
return 1
