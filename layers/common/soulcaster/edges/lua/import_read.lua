--#include pages
-- One import. ARGV: project, id, fields…. Returns their values, {} when there is none.
local key = 'p:' .. ARGV[1] .. ':imp:' .. ARGV[2]
if redis.call('EXISTS', key) == 0 then return {} end
return redis.call('HMGET', key, unpack(rest(3)))
