--#include by_words
--#include trend
-- Finds feedback by words and by meaning, and the clusters it is in or whose names fit. Lists are
-- fused by reciprocal rank (Cormack, Clarke, Büttcher 2009).
-- ARGV: project, JSON array of the query's tokens, JSON array of the ids that are near in meaning,
-- nearest first, how many of each to answer at most, source ('' for any), a cluster's status ('' for
-- any), today, days of a cluster's trend, fields of feedback…
-- Returns {} without such a project, else {{{fields' values}, {words}, rank by meaning or 0}…} and
-- {{{cluster's fields and values}, reports by day, {words of its name}}…}, both best first.
local K = 60
local p = 'p:' .. ARGV[1] .. ':'
if redis.call('EXISTS', p .. 'project') == 0 then return {} end
local tokens, near = cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
local limit, source, status = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local expansions = expanded(p, tokens)

local function reciprocal(rank) return 1 / (K + rank) end

local function best_first(items)
  local order = {}
  for _, item in pairs(items) do
    if item.fused then order[#order + 1] = item end
  end
  table.sort(order, function(a, b)
    if a.fused ~= b.fused then return a.fused > b.fused end
    if a.at ~= b.at then return a.at > b.at end
    return a.id < b.id
  end)
  return order
end

local function fuse(item, rank) item.fused = (item.fused or 0) + reciprocal(rank) end

-- Which clusters may be shown: those in the list of all, so none that was merged or emptied.
local shown = {}
local function may_be_shown(cluster)
  if shown[cluster] == nil then
    local fits = redis.call('ZSCORE', p .. 'cls', cluster)
      and (status == '' or redis.call('HGET', p .. 'cl:' .. cluster, 'status') == status)
    shown[cluster] = fits and true or false
  end
  return shown[cluster]
end

local items, by_word = by_words(p, 'w', 'fbs', tokens, expansions, near)
for rank, item in ipairs(by_word) do fuse(item, rank) end
for rank, id in ipairs(near) do
  if items[id] then
    items[id].near = rank
    fuse(items[id], rank)
  end
end

local feedback, of_items, clusters = {}, {}, {}
for _, item in ipairs(best_first(items)) do
  if #feedback == limit then break end
  local key = p .. 'fb:' .. item.id
  local is = redis.call('HMGET', key, 'source', 'cluster')
  local listed = is[2] and may_be_shown(is[2])
  if (source == '' or is[1] == source) and (status == '' or listed) then
    feedback[#feedback + 1] = { redis.call('HMGET', key, unpack(ARGV, 9)), item.words, item.near or 0 }
    if listed and not of_items[is[2]] then
      -- The first of its items is its best.
      of_items[is[2]] = item.fused
      clusters[#clusters + 1] = is[2]
    end
  end
end

local named, by_name = by_words(p, 'wc', 'cls', tokens, expansions, clusters)
for _, cluster in ipairs(clusters) do
  named[cluster].fused = of_items[cluster]
end
for rank, cluster in ipairs(by_name) do fuse(cluster, rank) end

local answered = {}
for _, cluster in ipairs(best_first(named)) do
  if #answered == limit then break end
  local key = p .. 'cl:' .. cluster.id
  local has = source == '' or redis.call('HEXISTS', key, 'source:' .. source) == 1
  if has and may_be_shown(cluster.id) then
    answered[#answered + 1] = { redis.call('HGETALL', key),
      trend(key .. ':days', tonumber(ARGV[7]), tonumber(ARGV[8])), cluster.words }
  end
end
return { feedback, answered }
