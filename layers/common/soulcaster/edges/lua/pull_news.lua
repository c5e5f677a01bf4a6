--#include pull
-- What GitHub says of pull requests. In any order and however often it comes, it ends the same: each
-- piece of news has a version, and the highest counts, for a pull request and for each suite of checks.
-- ARGV: project, JSON array of news. Returns how many were of pull requests of ours.
local p = 'p:' .. ARGV[1] .. ':'
local MOST_SUITES, MOST_LINES = 100, 100

local function job_of(it, number) return redis.call('HGET', p .. 'pulls', it.repository .. '#' .. number) end

-- A line of the job's history, once. Those that follow the opening stand by when it happened.
local function note(job, at, reason)
  local lines, after, before = redis.call('LRANGE', job .. ':history', 0, -1), {}, 0
  for i, line in ipairs(lines) do
    local entry = cjson.decode(line)
    if before > 0 then
      if entry.at == at and entry.reason == reason then return end
      after[#after + 1] = { at = tonumber(entry.at), reason = entry.reason, line = line }
    elseif entry.state == 'pr_open' then
      before = i
    end
  end
  after[#after + 1] = { at = tonumber(at), reason = reason, line = cjson.encode({ state = 'pr_open',
    at = at, attempt = tonumber(redis.call('HGET', job, 'attempt')), reason = reason }) }
  table.sort(after, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.reason < b.reason
  end)
  redis.call('LTRIM', job .. ':history', 0, before - 1)
  for i = math.max(1, #after - MOST_LINES + 1), #after do
    redis.call('RPUSH', job .. ':history', after[i].line)
  end
end

-- What the checks of the newest commit come to: failing if one fails, passing if none is open.
local function renew_checks(job)
  local is = redis.call('HMGET', job, 'pr_head', 'commit')
  local found = {}
  for _, said in ipairs(redis.call('HVALS', job .. ':checks')) do
    local checks, head = said:match('^%d+ (%a+) (%x+)$')
    if head == (is[1] or is[2]) then found[checks] = true end
  end
  redis.call('HSET', job, 'pr_checks', found.failing and 'failing' or found.pending and 'pending'
    or found.passing and 'passing' or '')
end

-- Late news counts, too: a line of the history is new.
local function updated(job, it)
  local was = tonumber(redis.call('HGET', job, 'updated'))
  redis.call('HSET', job, 'updated', string.format('%.0f', math.max(was, tonumber(it.received))))
end

local function pull_told(id, it)
  local job = p .. 'job:' .. id
  updated(job, it)
  note(job, it.at, 'pull request #' .. it.number .. ' was ' .. it.what)
  local was = redis.call('HMGET', job, 'pr_version', 'pr_head', 'pr_state')
  local version, known = tonumber(it.version), tonumber(was[1] or '0')
  if version < known or (version == known and it.head <= (was[2] or '')) then return end
  redis.call('HSET', job, 'pr_version', it.version, 'pr_head', it.head, 'pr_state', it.state,
    'pr_draft', it.draft)
  renew_checks(job)
  if it.state ~= was[3] then follow_pull(p, id, it.received) end
end

local function checks_told(id, number, it)
  local job = p .. 'job:' .. id
  updated(job, it)
  local was = redis.call('HGET', job .. ':checks', it.suite)
  if it.checks == 'failing' then note(job, it.at, 'checks of pull request #' .. number .. ' failed') end
  if was and tonumber(was:match('^%d+')) >= tonumber(it.version) then return end
  redis.call('HSET', job .. ':checks', it.suite, it.version .. ' ' .. it.checks .. ' ' .. it.head)
  local all = redis.call('HGETALL', job .. ':checks')
  if #all > 2 * MOST_SUITES then
    local oldest
    for i = 1, #all, 2 do
      local version = tonumber(all[i + 1]:match('^%d+'))
      if not oldest or version < oldest.version
        or (version == oldest.version and all[i] < oldest.suite) then
        oldest = { version = version, suite = all[i] }
      end
    end
    redis.call('HDEL', job .. ':checks', oldest.suite)
  end
  renew_checks(job)
end

local ours = 0
for _, it in ipairs(cjson.decode(ARGV[2])) do
  local known = false
  for _, number in ipairs(it.numbers) do
    local id = job_of(it, number)
    if id and it.suite then
      checks_told(id, number, it)
    elseif id then
      it.number = number
      pull_told(id, it)
    end
    known = known or id
  end
  if known then ours = ours + 1 end
end
return ours
