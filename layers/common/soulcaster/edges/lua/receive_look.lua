--#include intake
-- What the receiver has to know of a source and its project; counts what it has refused.
-- ARGV: project, source id, UTC day, new items of a day and pending items that a project may have
-- where it says nothing else, how many deliveries were refused over the source's rate, "1" when
-- another is refused unless both quotas have room.
-- Returns {source JSON or '', items a day, pending items (both as allowed), items of the day, pending}.
local p = 'p:' .. ARGV[1] .. ':'
local source = redis.call('HGET', p .. 'sources', ARGV[2])
local project = redis.call('GET', p .. 'project')
local items, pending, per_day, at_once = taken_in(p, project, ARGV[3], ARGV[4], ARGV[5])

local refused = tonumber(ARGV[6])
if ARGV[7] == '1' and (items >= per_day or pending >= at_once) then refused = refused + 1 end
if source and refused > 0 then count_refused(p, ARGV[3], ARGV[2], refused) end
return { source or '', per_day, at_once, items, pending }
