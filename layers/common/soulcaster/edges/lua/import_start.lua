--#include import
--#include audit
-- Starts an import; of one that is live it says again which message has it go on.
-- ARGV: project, id, now, id of the source that files come by.
-- Returns {outcome, state, turn}: missing, off (the source is), ended, or started.
local p = 'p:' .. ARGV[1] .. ':'
local key = import_key(p, ARGV[2])
local is = redis.call('HMGET', key, 'state', 'turn')
if not is[1] then return { 'missing', '', 0 } end
if ENDED[is[1]] then return { 'ended', is[1], 0 } end
local source = redis.call('HGET', p .. 'sources', ARGV[4])
if source and cjson.decode(source).enabled == false then return { 'off', is[1], 0 } end
if is[1] == 'waiting' then
  import_is(key, 'queued', '', ARGV[3])
  audit(p, 'started import', ARGV[2], { state = 'waiting' }, { state = 'queued' }, ARGV[3])
end
return { 'started', is[1], tonumber(is[2]) }
