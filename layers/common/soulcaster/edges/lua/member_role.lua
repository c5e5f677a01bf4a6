--#include audit
--#include invitation
--#include membership
-- Says what a member may do from now on; the invitations of who was an owner are taken back.
-- ARGV: project, person, role, now.
-- Returns missing (no such member), last_owner (who has to stay one) or done.
local p, id, role = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[3]
local was = redis.call('HGET', p .. 'roles', id)
if not was then return 'missing' end
if was == role then return 'done' end
if last_owner(p, id) then return 'last_owner' end
redis.call('HSET', p .. 'roles', id, role)
audit(p, 'changed role', id, { role = was, name = name_of(p, id) }, { role = role }, ARGV[4])
if was == 'owner' then take_back_all(p, id, ARGV[4]) end
return 'done'
