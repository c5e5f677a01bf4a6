-- Gives a lease back early. ARGV: project, owner.
local key = 'p:' .. ARGV[1] .. ':lease'
if redis.call('GET', key) == ARGV[2] then return redis.call('DEL', key) end
return 0
