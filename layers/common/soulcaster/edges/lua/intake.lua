-- Whether a project takes in an item by a source that it has anyway. What is refused is counted.
-- ARGV: project, source id, UTC day, new items of a day and pending items that a project may have where it
-- says nothing else.
-- Returns '' when there is no such project, else {source JSON or '', new items of the day, pending items,
-- how many of each it may have}.
local p = 'p:' .. ARGV[1] .. ':'
local project = redis.call('GET', p .. 'project')
if not project then return '' end
local settings = cjson.decode(project)
local per_day = settings.items_per_day or tonumber(ARGV[4])
local at_once = settings.pending_items or tonumber(ARGV[5])
local source = redis.call('HGET', p .. 'sources', ARGV[2]) or ''
local intake = p .. 'intake:' .. ARGV[3]
local items = tonumber(redis.call('HGET', intake, 'items') or '0')
local pending = redis.call('ZCARD', p .. 'pending')

local off = source ~= '' and cjson.decode(source).enabled == false
if not off and (items >= per_day or pending >= at_once) then
  redis.call('HINCRBY', intake, 'refused', 1)
  redis.call('EXPIRE', intake, 40 * 24 * 60 * 60)
  redis.call('HINCRBY', p .. 'source:' .. ARGV[2], 'refused', 1)
end
return { source, items, pending, per_day, at_once }
