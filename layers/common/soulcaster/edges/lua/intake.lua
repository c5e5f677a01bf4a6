--#include intake
-- Whether a project takes in an item by a source that it has anyway. What is refused is counted.
-- ARGV: project, source id, UTC day, new items of a day and pending items that a project may have where it
-- says nothing else.
-- Returns '' when there is no such project, else {source JSON or '', new items of the day, pending items,
-- how many of each it may have}.
local p = 'p:' .. ARGV[1] .. ':'
local project = redis.call('GET', p .. 'project')
if not project then return '' end
local source = redis.call('HGET', p .. 'sources', ARGV[2]) or ''
local items, pending, per_day, at_once = taken_in(p, project, ARGV[3], ARGV[4], ARGV[5])

local off = source ~= '' and cjson.decode(source).enabled == false
if not off and (items >= per_day or pending >= at_once) then count_refused(p, ARGV[3], ARGV[2], 1) end
return { source, items, pending, per_day, at_once }
