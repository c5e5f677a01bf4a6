--#include audit
--#include stronger
-- Makes an API key. ARGV: project, the key's id, HMAC of its text, name, scopes (comma-separated), when it
-- expires ('' = never), how many live ones there may be, who makes it, now.
-- Returns made, or why not: missing (the project), stronger (see lib/stronger.lua), taken (the id) or full.
local p, id, scopes, expires, now = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[5], ARGV[6], ARGV[9]
if redis.call('EXISTS', p .. 'project') == 0 then return 'missing' end
if stronger(scopes, expires) then return 'stronger' end
if redis.call('EXISTS', p .. 'key:' .. id) == 1 then return 'taken' end
-- By when they end, so that those that have ended need not be told.
redis.call('ZREMRANGEBYSCORE', p .. 'keys:live', '-inf', now)
if redis.call('ZCARD', p .. 'keys:live') >= tonumber(ARGV[7]) then return 'full' end
redis.call('HSET', p .. 'key:' .. id, 'id', id, 'mac', ARGV[3], 'name', ARGV[4], 'scopes', scopes,
  'expires', expires, 'made_by', ARGV[8], 'created', now)
redis.call('ZADD', p .. 'keys', now, id)
redis.call('ZADD', p .. 'keys:live', expires == '' and '+inf' or expires, id)
audit(p, 'made key', id, nil, { name = ARGV[4], scopes = scopes, expires_at = tonumber(expires) }, now)
return 'made'
