-- One item. ARGV: project, feedback id, fields… Returns the fields' values.
local fields = {}
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
return redis.call('HMGET', 'p:' .. ARGV[1] .. ':fb:' .. ARGV[2], unpack(fields))
