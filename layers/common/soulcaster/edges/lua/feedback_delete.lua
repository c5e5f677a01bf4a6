--#include audit
--#include withdraw
-- A person removes an item for good. ARGV: project, item, now. Returns whether there was such an item.
local p, touched = 'p:' .. ARGV[1] .. ':', {}
local is = redis.call('HMGET', p .. 'fb:' .. ARGV[2], 'source', 'created')
if not is[1] then return 0 end
withdraw_for_good(p, ARGV[1], ARGV[2], touched)
describe_touched(p, touched, ARGV[3])
audit(p, 'removed feedback', ARGV[2], { source = is[1], created_at = tonumber(is[2]) }, nil, ARGV[3])
return 1
