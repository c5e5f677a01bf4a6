--#include audit
--#include pages
--#include stronger
-- Gives a key a new text; the one that it had is accepted until a moment, the one before that no more.
-- ARGV: project, the key's id, HMAC of the new text, that moment, now, fields to return…
-- Returns {rotated, the fields' values}, or {why not}: missing, ended (revoked or expired) or stronger (see
-- lib/stronger.lua).
local p, id, now = 'p:' .. ARGV[1] .. ':', ARGV[2], ARGV[5]
local key = p .. 'key:' .. id
local is = redis.call('HMGET', key, 'scopes', 'expires', 'revoked', 'mac')
if not is[1] then return { 'missing' } end
local expires = is[2] or ''
if stronger(is[1], expires) then return { 'stronger' } end
if is[3] or (expires ~= '' and tonumber(expires) <= tonumber(now)) then return { 'ended' } end
redis.call('HSET', key, 'mac', ARGV[3], 'old_mac', is[4], 'old_until', ARGV[4])
audit(p, 'rotated key', id, nil, { rotating_until = tonumber(ARGV[4]) }, now)
return { 'rotated', redis.call('HMGET', key, unpack(rest(6))) }
