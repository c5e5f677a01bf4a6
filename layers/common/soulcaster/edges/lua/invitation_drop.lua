--#include invitation
-- Takes an invitation back. ARGV: project, the invitation's id, now. Returns 1, or 0 when no such one is
-- pending.
local p, id = 'p:' .. ARGV[1] .. ':', ARGV[2]
local expires = redis.call('ZSCORE', p .. 'invitations', id)
if not expires or tonumber(expires) <= tonumber(ARGV[3]) then return 0 end
take_back(p, id, ARGV[3])
return 1
