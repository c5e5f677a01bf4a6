-- Whether a key that may do `scopes` (comma-separated) until `expires` (ms, '' = for ever) is more than
-- the caller may hand out. A person who may make keys at all may make any. A key hands out no more than
-- it has itself, for no longer than it lives; the text that a rotation replaced lives until that is over.
local function stronger(scopes, expires)
  if not caller or caller.by ~= 'key' then return false end
  for scope in scopes:gmatch('[^,]+') do
    if not caller.scopes[scope] then return true end
  end
  local ends = tonumber(caller.expires)
  local is = redis.call('HMGET', 'p:' .. caller.project .. ':key:' .. caller.id, 'mac', 'old_until')
  if is[1] ~= caller.mac then ends = math.min(ends or math.huge, tonumber(is[2])) end
  return ends ~= nil and (expires == '' or tonumber(expires) > ends)
end
