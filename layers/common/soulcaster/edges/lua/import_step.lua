--#include import
--#include intake
-- Accounts for the rows of an import that were stored last, and lets in the next. Safe to run again:
-- what is accounted for is known by the row that it begins with, and what was let in stays let in.
-- ARGV: project, id, now, size of the file, its etag, JSON {from, rows, refused: [{line, reason, text}…]} of
-- what is done or '', JSON array of the feedback ids of the rows to come, '' for one that is refused, UTC day,
-- new items of a day and pending items that a project may have where it says nothing else, how many rows may
-- be refused.
-- Returns {outcome, n, deleted ids}: go on with n rows, of which these ids were deleted here and are not stored;
-- done, when none are to come; paused, by the quota of the "day" or of what is "pending" in place of n; over,
-- when it has ended, or somebody else is further on.
local REPORT_SECONDS = 90 * 24 * 60 * 60 -- as long as the file itself is kept
local p = 'p:' .. ARGV[1] .. ':'
local key, now = import_key(p, ARGV[2]), ARGV[3]
local is = redis.call('HMGET', key, 'state', 'rows', 'next_rows', 'next_new', 'refused')
local rows, refused = tonumber(is[2] or '0'), tonumber(is[5] or '0')
local live = not ENDED[is[1]]
redis.call('HSET', key, 'bytes', ARGV[4], 'etag', ARGV[5])

local done = ARGV[6] ~= '' and cjson.decode(ARGV[6])
if done and done.from == rows and is[3] then
  rows, refused = rows + done.rows, refused + #done.refused
  for _, row in ipairs(done.refused) do redis.call('RPUSH', key .. ':refused', cjson.encode(row)) end
  redis.call('EXPIRE', key .. ':refused', REPORT_SECONDS)
  redis.call('HSET', key, 'rows', rows, 'refused', refused, 'stored', rows - refused, 'updated', now)
  redis.call('HINCRBY', key, 'new', is[4])
  redis.call('HDEL', key, 'next_rows', 'next_new')
  is[3] = false
elseif done and done.from + done.rows ~= rows then
  return { 'over', 0, {} }
end
if live and refused > tonumber(ARGV[11]) then
  import_is(key, 'failed', 'more than ' .. ARGV[11] .. ' rows were refused', now)
  live = false
end

local ids = cjson.decode(ARGV[7])
if not is[3] and not live then return { 'over', 0, {} } end
if #ids == 0 then
  import_is(key, 'done', '', now)
  return { 'done', 0, {} }
end

local today, pending, per_day, at_once =
  taken_in(p, redis.call('GET', p .. 'project'), ARGV[8], ARGV[9], ARGV[10])
local of_day, of_pending = per_day - today, at_once - pending

local count, new, seen, deleted = 0, 0, {}, {}
local let_in = tonumber(is[3] or #ids)
for _, id in ipairs(ids) do
  if count == let_in then break end
  if redis.call('SISMEMBER', p .. 'withdrawn', id) == 1 then
    deleted[#deleted + 1] = id
  elseif id ~= '' and not seen[id] and redis.call('EXISTS', p .. 'fb:' .. id) == 0 then
    if not is[3] and new >= math.min(of_day, of_pending) then break end
    new = new + 1
  end
  seen[id] = true
  count = count + 1
end
if is[3] then return { 'go', count, deleted } end
if count == 0 then
  local which = of_day <= of_pending and 'day' or 'pending'
  local why = which == 'day' and "the project's quota of " .. per_day .. ' new items a day is used up'
    or at_once .. ' items of the project wait to be clustered already'
  import_is(key, 'paused', why .. '; it goes on by itself', now)
  return { 'paused', which, {} }
end
import_is(key, 'running', '', now)
redis.call('HSET', key, 'next_rows', count, 'next_new', new)
return { 'go', count, deleted }
