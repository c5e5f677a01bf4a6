--#include tally
-- Rates the clusters of one project again whose rating is old: some of it follows from how long ago
-- things were. ARGV: now, rated by when (ms), how many at most. Returns {} when nothing is due in any
-- project, else {project, how many were rated, whether more is due somewhere}.
local projects = redis.call('SMEMBERS', 'sys:projects')
table.sort(projects)

-- The first project in which something is due, with what is; or nil.
local function next_due()
  for _, project in ipairs(projects) do
    local due = redis.call('ZRANGEBYSCORE', 'p:' .. project .. ':cls:ranked', '-inf', ARGV[2],
      'LIMIT', 0, ARGV[3])
    if #due > 0 then return project, due end
  end
end

local project, due = next_due()
if not project then return {} end
for _, cluster in ipairs(due) do describe('p:' .. project .. ':', cluster, ARGV[1]) end
return { project, #due, next_due() and 1 or 0 }
