--#include audit
-- Takes an invitation back. ARGV: project, the invitation's id, now. Returns 1, or 0 when no such one is
-- pending.
local p, id = 'p:' .. ARGV[1] .. ':', ARGV[2]
local expires = redis.call('ZSCORE', p .. 'invitations', id)
if not expires or tonumber(expires) <= tonumber(ARGV[3]) then return 0 end
local is = redis.call('HMGET', p .. 'invitation:' .. id, 'role', 'login')
redis.call('ZREM', p .. 'invitations', id)
redis.call('DEL', p .. 'invitation:' .. id)
audit(p, 'took invitation back', id, { role = is[1], login = is[2] }, nil, ARGV[3])
return 1
