-- A source as it is read: {id, JSON or '' where nothing is stored of it, deliveries, items, refused,
-- last_delivery, last_error, last_error_at}.
local function described(p, id, stored)
  local health = redis.call('HMGET', p .. 'source:' .. id, 'deliveries', 'items', 'refused',
    'last_delivery', 'last_error', 'last_error_at')
  return { id, stored or '', unpack(health) }
end
