--#include audit
--#include member
-- Makes a person a member by an invitation, which is used up; who is more already stays so.
-- ARGV: project, the invitation's id, HMAC of its text, person, their login, now. Returns {} when there is no
-- such invitation for them, else {the project's JSON, what they are in it now}.
local p, id, person, now = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[4], ARGV[6]
local RANKS = { viewer = 1, maintainer = 2, owner = 3 }
local is = redis.call('HMGET', p .. 'invitation:' .. id, 'mac', 'role', 'login', 'expires')
if not is[1] or is[1] ~= ARGV[3] or tonumber(is[4]) <= tonumber(now) then return {} end
if is[3] ~= '' and is[3]:lower() ~= ARGV[5]:lower() then return {} end
redis.call('ZREM', p .. 'invitations', id)
redis.call('DEL', p .. 'invitation:' .. id)
local was, role = redis.call('HGET', p .. 'roles', person), is[2]
if was and RANKS[was] >= RANKS[role] then
  role = was
elseif was then
  redis.call('HSET', p .. 'roles', person, role)
else
  put_member(p, ARGV[1], person, role, cjson.encode({ name = ARGV[5], since = tonumber(now) }))
end
audit(p, 'accepted invitation', id, was and { role = was } or nil, { role = role }, now)
return { redis.call('GET', p .. 'project'), role }
