--#include import
-- What a message's receiver needs to go on. ARGV: project, id, the message's turn, id of the source that
-- files come by.
-- Returns {} when there is nothing to do: no such import, one that has ended and has nothing left to be
-- accounted for, or a later message has been received. Else {format, when it was made, rows done, etag or '',
-- source JSON or ''}.
local p = 'p:' .. ARGV[1] .. ':'
local key = import_key(p, ARGV[2])
local is = redis.call('HMGET', key, 'state', 'turn', 'format', 'created', 'rows', 'etag', 'next_rows')
if not is[1] or is[1] == 'waiting' or (ENDED[is[1]] and not is[7]) then return {} end
if tonumber(ARGV[3]) < tonumber(is[2]) then return {} end
redis.call('HSET', key, 'turn', ARGV[3])
return { is[3], is[4], tonumber(is[5] or '0'), is[6] or '', redis.call('HGET', p .. 'sources', ARGV[4]) or '' }
