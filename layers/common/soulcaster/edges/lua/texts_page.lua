--#include pages
-- A page of the texts that have vectors: of items in clusters, but for those that ride on others.
-- ARGV: project, cursor ('' = from the top), how many items to go through, JSON array of {id, hash} of
-- texts that were read before. Returns {} without such a project, else {texts, those of the ones read
-- before that have changed, next cursor or ''}; a text is {id, text, hash}.
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end

local function text_of(id)
  local fb = redis.call('HMGET', p .. 'fb:' .. id, 'text', 'text_hash', 'cluster', 'rides')
  if fb[3] and not fb[4] then return { id, fb[1], fb[2] } end
end

local texts, changed, ids, cursor = {}, {}, {}, ''
if tonumber(ARGV[3]) > 0 then ids, cursor = page_of(p .. 'fbs', ARGV[2], tonumber(ARGV[3])) end
for _, id in ipairs(ids) do texts[#texts + 1] = text_of(id) end
for _, read in ipairs(cjson.decode(ARGV[4])) do
  local text = text_of(read[1])
  if text and text[3] ~= read[2] then changed[#changed + 1] = text end
end
return { texts, changed, cursor }
