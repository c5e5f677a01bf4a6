-- Who belongs to a project: `roles` says what each person is in it, `members` what is shown of them,
-- and `sys:person:ID:projects` the other way round.

local function put_member(p, project, id, role, shown)
  redis.call('HSET', p .. 'roles', id, role)
  redis.call('HSET', p .. 'members', id, shown)
  redis.call('SADD', 'sys:person:' .. id .. ':projects', project)
end

local function drop_member(p, project, id)
  redis.call('HDEL', p .. 'roles', id)
  redis.call('HDEL', p .. 'members', id)
  redis.call('SREM', 'sys:person:' .. id .. ':projects', project)
end
