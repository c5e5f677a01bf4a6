-- A page of an import's refused rows, in the file's order. ARGV: project, id, after how many, limit.
-- Returns {} when there is none, else {rows as JSON, how many there are in all}.
local key = 'p:' .. ARGV[1] .. ':imp:' .. ARGV[2]
if redis.call('EXISTS', key) == 0 then return {} end
local first = tonumber(ARGV[3])
return { redis.call('LRANGE', key .. ':refused', first, first + tonumber(ARGV[4]) - 1),
  redis.call('LLEN', key .. ':refused') }
