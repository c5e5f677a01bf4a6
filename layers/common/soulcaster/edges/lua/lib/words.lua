-- The inverted index: under each token the items whose words it is among, and under each token the
-- clusters whose names it is in. The lexicon has every token that either has, for prefixes.

-- Token -> weight of a `words` field, which is "title's tokens | further ones".
local function token_weights(words)
  local weight, found = 2, {}
  for token in words:gmatch('[^ ]+') do
    if token == '|' then weight = 1 else found[token] = weight end
  end
  return found
end

-- Puts `id` under `words` and takes it out from under those that its record had. `family` is the
-- part of the keys' names that says what the index is of.
local function index_under(p, family, record, id, words)
  local was = token_weights(redis.call('HGET', record, 'words') or '')
  local is = token_weights(words)
  for token in pairs(was) do
    if not is[token] then
      redis.call('ZREM', p .. family .. ':' .. token, id)
      if redis.call('EXISTS', p .. 'w:' .. token, p .. 'wc:' .. token) == 0 then
        redis.call('ZREM', p .. 'lexicon', token)
      end
    end
  end
  for token, weight in pairs(is) do
    if was[token] ~= weight then
      redis.call('ZADD', p .. family .. ':' .. token, weight, id)
      redis.call('ZADD', p .. 'lexicon', 0, token)
    end
  end
  redis.call('HSET', record, 'words', words)
end

local function index_words(p, id, words) index_under(p, 'w', p .. 'fb:' .. id, id, words) end

-- The words of an item's title, for a cluster that is called by it.
local function title_words(p, id)
  return (redis.call('HGET', p .. 'fb:' .. id, 'words') or ''):match('^[^|]*') .. '|'
end

local function index_cluster_words(p, cluster, words)
  index_under(p, 'wc', p .. 'cl:' .. cluster, cluster, words)
end
