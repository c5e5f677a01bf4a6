--#include audit
-- Makes a person an owner of the installation by the text that was offered, which is used up.
-- ARGV: '' (no project), HMAC of the text, person, their login, now. Returns 1, or 0 when it is not that text.
local is = redis.call('HMGET', 'sys:owner-token', 'mac', 'expires')
if not is[1] or is[1] ~= ARGV[2] or tonumber(is[2]) <= tonumber(ARGV[5]) then return 0 end
redis.call('DEL', 'sys:owner-token')
local shown = cjson.encode({ name = ARGV[4], since = tonumber(ARGV[5]) })
if redis.call('HSETNX', 'sys:owners', ARGV[3], shown) == 1 then
  audit('sys:', 'became owner of the installation', ARGV[3], nil, { name = ARGV[4] }, ARGV[5])
end
return 1
