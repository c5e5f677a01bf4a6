--#include impact
-- What a cluster's items add up to, and the lists that the cluster is in.

local STATUSES = { 'open', 'resolved', 'ignored' }

local function add(key, field, by)
  if redis.call('HINCRBY', key, field, string.format('%.0f', by)) <= 0 then
    redis.call('HDEL', key, field)
  end
end

-- Adds an item's `days`, JSON, to (or with -1 takes them from) a hash of reports by day. Returns
-- their sum.
local function add_days(key, days, sign)
  local sum = 0
  for day, reports in pairs(cjson.decode(days or '{}')) do
    add(key, day, sign * reports)
    sum = sum + reports
  end
  return sum
end

-- Adds (`sign` 1) or takes away (-1) all that item `id` contributes to a cluster: source, severity,
-- reporters and reports by day. Whoever changes an item that is in a cluster takes it away before and
-- adds it after. A reporter that is not known is one of its own: whoever gives no name is another
-- person each time, and a program's item counts once, however often the program met the error.
-- `others` report it in its evidence, each once and its own author not again.
local function tally(p, cluster, id, sign)
  local cl = p .. 'cl:' .. cluster
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'source', 'severity', 'author', 'days', 'others')
  local severity, author = fb[2] or '', fb[3] or ''
  local first = author ~= '' and author or id
  add(cl, 'source:' .. fb[1], sign)
  if severity ~= '' then add(cl, 'severity:' .. severity, sign) end
  add(cl .. ':reporters', first, sign)
  for _, other in ipairs(cjson.decode(fb[5] or '[]')) do
    if other ~= first then add(cl .. ':reporters', other, sign) end
  end
  add(cl, 'reports', sign * add_days(cl .. ':days', fb[4], sign))
end

-- Puts a cluster into the index of every cluster and into its status's, with `value` as its score;
-- false takes it out of all.
local function list(p, index, cluster, status, value)
  for _, each in ipairs(STATUSES) do
    if value and each == status then
      redis.call('ZADD', p .. index .. ':' .. each, value, cluster)
    else
      redis.call('ZREM', p .. index .. ':' .. each, cluster)
    end
  end
  if value then
    redis.call('ZADD', p .. index, value, cluster)
  else
    redis.call('ZREM', p .. index, cluster)
  end
end

-- Brings everything that follows from a cluster's items and status up to date: when it was first
-- and last seen, its impact, its places in the lists. For once at the end, when membership, a tally
-- or the status has changed. A cluster that is empty or merged is in no list. `now` in ms.
local function describe(p, cluster, now)
  now = tonumber(now)
  local cl = p .. 'cl:' .. cluster
  local size, status = redis.call('ZCARD', cl .. ':items'), redis.call('HGET', cl, 'status')
  local last, impact, changes = false, false, false
  if size > 0 and status and status ~= 'merged' then
    last = redis.call('ZREVRANGE', cl .. ':items', 0, 0, 'WITHSCORES')[2]
    redis.call('HSET', cl, 'last_seen', last,
      'first_seen', redis.call('ZRANGE', cl .. ':items', 0, 0, 'WITHSCORES')[2])
    impact, changes = rate(cl, size, tonumber(last), now)
  elseif status then
    unrate(cl)
  end
  list(p, 'cls', cluster, status, last)
  list(p, 'cls:size', cluster, status, impact and size)
  list(p, 'cls:impact', cluster, status, impact)
  if changes then
    redis.call('ZADD', p .. 'cls:ranked', string.format('%.0f', now), cluster)
  else
    redis.call('ZREM', p .. 'cls:ranked', cluster)
  end
end

-- Opens a resolved cluster again when item `id`, newly in it or with fresh occurrences, was heard of
-- after it was resolved. What was only waiting to be clustered by then, and what its source calls
-- settled, is no sign that the problem is back. Returns whether it did; then the caller describes it.
local function came_back(p, cluster, id, now)
  local cl = p .. 'cl:' .. cluster
  local was = redis.call('HMGET', cl, 'status', 'resolved_at', 'resolved_pr')
  if was[1] ~= 'resolved' then return false end
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'open', 'heard')
  if fb[1] == '0' or tonumber(fb[2] or '0') <= tonumber(was[2]) then return false end
  redis.call('HSET', cl, 'status', 'open', 'regressed_at', string.format('%.0f', tonumber(now)),
    'regressed_after', was[3] or '')
  return true
end
