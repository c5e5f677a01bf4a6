-- What is asked before a project's members change.

-- Whether nobody but this person is an owner of the project.
local function last_owner(p, id)
  local roles = redis.call('HGETALL', p .. 'roles')
  local is = false
  for i = 1, #roles, 2 do
    if roles[i + 1] == 'owner' then
      if roles[i] ~= id then return false end
      is = true
    end
  end
  return is
end

-- What people call a member.
local function name_of(p, id)
  return cjson.decode(redis.call('HGET', p .. 'members', id) or '{}').name
end
