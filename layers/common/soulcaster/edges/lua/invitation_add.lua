--#include audit
-- Invites somebody. ARGV: project, the invitation's id, HMAC of its text, role, login that it is for ('' =
-- whoever has the text), when it expires, how many pending ones there may be, who invites, now.
-- Returns made, or why not: missing (the project), taken (the id) or full.
local p, id, now = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[9]
if redis.call('EXISTS', p .. 'project') == 0 then return 'missing' end
if redis.call('EXISTS', p .. 'invitation:' .. id) == 1 then return 'taken' end
-- By when they expire.
redis.call('ZREMRANGEBYSCORE', p .. 'invitations', '-inf', now)
if redis.call('ZCARD', p .. 'invitations') >= tonumber(ARGV[7]) then return 'full' end
redis.call('HSET', p .. 'invitation:' .. id, 'id', id, 'mac', ARGV[3], 'role', ARGV[4], 'login', ARGV[5],
  'expires', ARGV[6], 'made_by', ARGV[8], 'inviter', caller and caller.id or '', 'created', now)
-- Only so that none stays for ever: `expires` says when it is over.
redis.call('PEXPIRE', p .. 'invitation:' .. id, string.format('%.0f', ARGV[6] - now + 86400000))
redis.call('ZADD', p .. 'invitations', ARGV[6], id)
audit(p, 'invited', id, nil, { role = ARGV[4], login = ARGV[5] }, now)
return 'made'
