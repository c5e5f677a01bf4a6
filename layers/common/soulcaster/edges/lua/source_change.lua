--#include audit
-- Changes or removes a source that is still what it was when it was read. ARGV: project, source id,
-- JSON as it was read ('' where nothing was stored), JSON as it is to be ('' to remove it), "1" when
-- it is polled from now on, now, what was done, JSON of what the log says of it before and after.
-- Returns 1, or 0 when it is something else by now; then nothing was done.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return 0 end
if (redis.call('HGET', p .. 'sources', ARGV[2]) or '') ~= ARGV[3] then return 0 end
if ARGV[4] == '' then
  redis.call('HDEL', p .. 'sources', ARGV[2])
  redis.call('HDEL', p .. 'cursors', ARGV[2])
  redis.call('DEL', p .. 'source:' .. ARGV[2])
else
  redis.call('HSET', p .. 'sources', ARGV[2], ARGV[4])
end
redis.call(ARGV[5] == '1' and 'SADD' or 'SREM', 'sys:polled', ARGV[2])
audit(p, ARGV[7], ARGV[2], ARGV[8], ARGV[9], ARGV[6])
return 1
