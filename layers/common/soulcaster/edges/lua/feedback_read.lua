-- One item. ARGV: project, feedback id, fields… Returns {fields' values, {evidence id, JSON, …}}.
local key, fields = 'p:' .. ARGV[1] .. ':fb:' .. ARGV[2], {}
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
local values = redis.call('HMGET', key, unpack(fields))
return { values, values[1] and redis.call('HGETALL', key .. ':evidence') or {} }
