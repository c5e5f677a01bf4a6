--#include referee
-- Gives a lease back early. ARGV: project, owner; the day and how many of its pairs no referee was asked
-- about, if that is any.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('GET', p .. 'lease') ~= ARGV[2] then return 0 end
if ARGV[4] then give_back(p, ARGV[3], ARGV[4]) end
return redis.call('DEL', p .. 'lease')
