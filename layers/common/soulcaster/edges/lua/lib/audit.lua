-- The log of what people and keys change. What the product does by itself is not in it.

local function as_json(value)
  return type(value) == 'string' and value or cjson.encode(value or cjson.null)
end

-- Notes that the caller did `what` ("merged clusters") to `on`, an id or a name. `before` and `after`
-- are tables of what it changed, JSON of that (cjson takes an empty list for an object), or nil. `now` in ms.
local function audit(p, what, on, before, after, now)
  if not caller then return end
  local number = redis.call('INCR', p .. 'audit:last')
  redis.call('HSET', p .. 'aud:' .. number, 'id', number, 'at', now, 'by', caller.by, 'who', caller.id,
    'name', caller.name, 'what', what, 'on', on, 'before', as_json(before), 'after', as_json(after))
  redis.call('ZADD', p .. 'audit', number, number)
end
