-- Notes what whoever set a source up should know. ARGV: project, source id, now, what was wrong with
-- a delivery or a poll, or '' when a delivery was in order and is not kept.
-- Returns 1, or 0 when there is no such source: it is not made again by it.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('HEXISTS', p .. 'sources', ARGV[2]) == 0 then return 0 end
local key = p .. 'source:' .. ARGV[2]
if ARGV[4] ~= '' then
  redis.call('HSET', key, 'last_error', ARGV[4], 'last_error_at', ARGV[3])
elseif tonumber(ARGV[3]) > tonumber(redis.call('HGET', key, 'last_delivery') or '0') then
  redis.call('HSET', key, 'last_delivery', ARGV[3])
end
return 1
