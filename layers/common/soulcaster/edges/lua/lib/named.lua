--#include words
-- Gives clusters that have items their names: a list of {id, name, summary, size, by, words}.
local function name_all(p, names)
  for _, n in ipairs(names) do
    if redis.call('EXISTS', p .. 'cl:' .. n.id .. ':items') == 1 then
      redis.call('HSET', p .. 'cl:' .. n.id, 'name', n.name, 'summary', n.summary,
        'named_size', n.size, 'named_by', n.by)
      index_cluster_words(p, n.id, n.words)
    end
  end
end
