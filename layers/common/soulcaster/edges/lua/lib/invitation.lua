--#include audit
-- How an invitation ends before anybody has accepted it.

local function take_back(p, id, now)
  local is = redis.call('HMGET', p .. 'invitation:' .. id, 'role', 'login')
  redis.call('ZREM', p .. 'invitations', id)
  redis.call('DEL', p .. 'invitation:' .. id)
  audit(p, 'took invitation back', id, { role = is[1], login = is[2] }, nil, now)
end

-- All that a person made who may not invite any more: they could come back by their own.
local function take_back_all(p, person, now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', p .. 'invitations', '(' .. now, '+inf')) do
    if redis.call('HGET', p .. 'invitation:' .. id, 'inviter') == person then take_back(p, id, now) end
  end
end
