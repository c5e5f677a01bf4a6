-- What the first `most` reports in an item's evidence say, the oldest first.
local function reports_in_evidence(p, id, most)
  local key = p .. 'fb:' .. id
  if (redis.call('HGET', key, 'evidence') or '0') == '0' then return {} end
  local found, bodies = {}, {}
  for _, kept in ipairs(redis.call('HVALS', key .. ':evidence')) do
    local it = cjson.decode(kept)
    if it.reports and not it.gone then found[#found + 1] = it end
  end
  table.sort(found, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.body < b.body
  end)
  for i = 1, math.min(most, #found) do bodies[i] = found[i].body end
  return bodies
end
