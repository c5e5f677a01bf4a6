--#include audit
--#include invitation
--#include membership
--#include member
-- Takes a person out of a project, and their invitations back. ARGV: project, person, now.
-- Returns missing (no such member), last_owner (who has to stay) or done.
local p, id = 'p:' .. ARGV[1] .. ':', ARGV[2]
local was = redis.call('HGET', p .. 'roles', id)
if not was then return 'missing' end
if last_owner(p, id) then return 'last_owner' end
local left = caller and caller.id == id
audit(p, left and 'left project' or 'removed member', id, { role = was, name = name_of(p, id) }, nil, ARGV[3])
drop_member(p, ARGV[1], id)
take_back_all(p, id, ARGV[3])
return 'done'
