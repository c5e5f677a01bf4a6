-- Whether the caller may have this script run. It is put before every script that the API runs, so
-- nothing can happen between the look and the deed, and a revocation counts at once.
-- The script's arguments have the caller before them, JSON of `Caller.question`; the script's own
-- first argument is the project that it is about. Refusals: UNKNOWN, the credential is none (any more);
-- FOREIGN, the project is not the caller's; FORBIDDEN; LIMITED with the seconds to wait.
local caller = cjson.decode(ARGV[1])
local ARGV = { select(2, unpack(ARGV)) } -- luacheck: the script's own from here on

local function known_key()
  local at = 'p:' .. caller.project .. ':key:' .. caller.id
  local is = redis.call('HMGET', at, 'mac', 'old_mac', 'old_until', 'expires', 'revoked', 'scopes', 'used')
  local old = is[2] == caller.mac and caller.now < tonumber(is[3] or '0')
  if not is[1] or not (is[1] == caller.mac or old) or is[5] then return false end
  if (is[4] or '') ~= '' and caller.now >= tonumber(is[4]) then return false end
  -- A write a minute is enough to see which keys are in use.
  if caller.now - tonumber(is[7] or '0') >= 60000 then
    redis.call('HSET', at, 'used', string.format('%.0f', caller.now))
  end
  caller.scopes = {}
  for scope in is[6]:gmatch('[^,]+') do caller.scopes[scope] = true end
  caller.expires = is[4] or ''
  return true
end

local function over_the_limit()
  if caller.limit == 0 then return false end
  local minute = math.floor(caller.now / 60000)
  local space = caller.by == 'key' and 'p:' .. caller.project .. ':' or 'sys:'
  local counter = space .. 'rate:' .. caller.id .. ':' .. string.format('%.0f', minute)
  local count = redis.call('INCR', counter)
  if count == 1 then redis.call('EXPIRE', counter, 120) end
  if count <= caller.limit then return false end
  return math.ceil(((minute + 1) * 60000 - caller.now) / 1000)
end

local function refusal(project)
  if caller.by == 'key' and not known_key() then return 'UNKNOWN' end
  local seconds = over_the_limit()
  if seconds then return 'LIMITED ' .. math.max(1, seconds) end
  if caller.by == 'key' then
    if caller.needs == 'self' then return caller.people and 'FORBIDDEN' end
    if project ~= caller.project and caller.needs ~= 'installation' then return 'FOREIGN' end
    if caller.people or not caller.scopes[caller.needs] then return 'FORBIDDEN' end
    return false
  end
  caller.owner = redis.call('HEXISTS', 'sys:owners', caller.id) == 1
  if caller.needs == 'self' then return false end
  if caller.needs == 'installation' then return not caller.owner and 'FORBIDDEN' end
  caller.role = caller.owner and 'owner' or redis.call('HGET', 'p:' .. project .. ':roles', caller.id)
  if not caller.role then return 'FOREIGN' end
  return not caller.roles[caller.role] and 'FORBIDDEN'
end

local refused = refusal(ARGV[1])
if refused then return redis.error_reply('ACCESS ' .. refused) end
