--#include pages
-- A page of what was changed about the installation itself, the newest first. ARGV: '' (no project), cursor
-- ('' = from the top), limit, fields… Returns as page.lua does.
local ids, cursor = page_of('sys:audit', ARGV[2], tonumber(ARGV[3]))
local fields, records = rest(4), {}
for _, id in ipairs(ids) do records[#records + 1] = redis.call('HMGET', 'sys:aud:' .. id, unpack(fields)) end
return { records, cursor, redis.call('ZCARD', 'sys:audit') }
