-- Which jobs may run at once. A job in one of the states of rules/job.py's HOLDS_SLOT is in `sys:slots` and
-- in its project's `slots`; one that waits for a slot is in the project's `waiting`, by when it was
-- asked for, and the project is in `sys:waiting` by its first of them.

local function project_of(job) return job:match('^job_([a-z0-9-]+)_') end

-- A limit of the project, or what it is by default.
local function limit_of(p, name, default)
  local project = cjson.decode(redis.call('GET', p .. 'project') or '{}')
  return tonumber(project[name] or default)
end

-- `more`: jobs that will come besides those that have a slot.
local function has_room(p, jobs_at_once, more)
  return redis.call('SCARD', p .. 'slots') + more < limit_of(p, 'jobs_at_once', jobs_at_once)
end

local function rank_waiting(p, project)
  local first = redis.call('ZRANGE', p .. 'waiting', 0, 0, 'WITHSCORES')
  if first[1] then
    redis.call('ZADD', 'sys:waiting', first[2], project)
  else
    redis.call('ZREM', 'sys:waiting', project)
  end
end

local function wait_for_slot(p, project, job, created)
  redis.call('ZADD', p .. 'waiting', created, job)
  rank_waiting(p, project)
end

local function wait_no_more(p, project, job)
  if redis.call('ZREM', p .. 'waiting', job) == 1 then rank_waiting(p, project) end
end

local function take_slot(p, job)
  redis.call('SADD', 'sys:slots', job)
  redis.call('SADD', p .. 'slots', job)
end

local function leave_slot(p, job)
  redis.call('SREM', 'sys:slots', job)
  redis.call('SREM', p .. 'slots', job)
end

-- Takes the job that has waited longest, of the projects with a slot free, out of the line. Its
-- message is to be sent; as that may be lost, the reaper looks at it at `due`. `called` counts, by
-- project, those that are called at the same time. Returns {job, attempt}, or nil.
local function next_waiting(jobs_at_once, due, called)
  for _, project in ipairs(redis.call('ZRANGE', 'sys:waiting', 0, -1)) do
    local p = 'p:' .. project .. ':'
    local others = called[project] or 0
    if has_room(p, jobs_at_once, others) then
      called[project] = others + 1
      local job = redis.call('ZRANGE', p .. 'waiting', 0, 0)[1]
      wait_no_more(p, project, job)
      redis.call('ZADD', 'sys:jobs', due, job)
      return { job, redis.call('HGET', p .. 'job:' .. job, 'attempt') }
    end
  end
end
