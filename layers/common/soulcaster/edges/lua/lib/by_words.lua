-- What a query's tokens find in the inverted index, best first, with a bound on the work.

local EXPANSIONS = 20 -- entries of the lexicon that a token stands for
local READ = 1000 -- entries read from the lists of tokens, the rarest first
local LOOKED_UP = 20000 -- look-ups of what was found so far in lists too long to be read
local LOOKED_UP_AT_ONCE = 500
local PREFIX_WORTH = 0.5

-- The entries of the lexicon that begin with each token; the token itself comes first.
local function expanded(p, tokens)
  local found = {}
  for i, token in ipairs(tokens) do
    found[i] = redis.call('ZRANGEBYLEX', p .. 'lexicon', '[' .. token, '[' .. token .. '\255', 'LIMIT',
      0, EXPANSIONS)
  end
  return found
end

-- BM25's inverse document frequency: what it says of an item that it has a token that `n` have.
local function idf(all, n) return math.log(1 + (math.max(all - n, 0) + 0.5) / (n + 0.5)) end

-- The lists to look at in the order in which to do so: rarest first, and those of longer words last
-- where there is one of the token itself. Such a word is worth no more than half of the token.
local function lists_of(p, family, tokens, expansions, all)
  local lists = {}
  for i, token in ipairs(tokens) do
    local exact = redis.call('ZCARD', p .. family .. ':' .. token)
    for _, word in ipairs(expansions[i]) do
      local key = p .. family .. ':' .. word
      local n = word == token and exact or redis.call('ZCARD', key)
      if n > 0 then
        local worth = idf(all, math.max(n, exact)) * (word == token and 1 or PREFIX_WORTH)
        lists[#lists + 1] = { key = key, word = word, token = i, n = n, worth = worth,
          last = exact > 0 and word ~= token }
      end
    end
  end
  table.sort(lists, function(a, b)
    if a.last ~= b.last then return b.last end
    if a.n ~= b.n then return a.n < b.n end
    if a.word ~= b.word then return a.word < b.word end
    return a.token < b.token
  end)
  return lists
end

-- Of the words that one token stands for the best counts, not their sum.
local function credit(item, list, weight)
  local value, had = list.worth * weight, item.values[list.token] or 0
  if value > had then
    item.values[list.token], item.score = value, item.score + value - had
  end
  if not item.has[list.word] then
    item.has[list.word] = true
    item.words[#item.words + 1] = list.word
  end
end

-- ZMSCORE of any number of members, as far as `bound` goes. Calls `each` with position and score.
local function look_up(key, members, bound, each)
  local done = 0
  while done < #members and done < bound do
    local upto = math.min(done + LOOKED_UP_AT_ONCE, #members)
    local scores = redis.call('ZMSCORE', key, unpack(members, done + 1, upto))
    for i, value in ipairs(scores) do
      if value then each(done + i, tonumber(value)) end
    end
    done = upto
  end
  return done
end

-- Items by id that have one of the tokens, or are among the ids `known` already. An item: id,
-- score (0 for none of the words), words that it has, and `at`, its score in the sorted set `census`;
-- what is not in there is left out. Second, those that have words, best first and the newest first of
-- equals.
local function by_words(p, family, census, tokens, expansions, known)
  local items, ids = {}, {}
  local function item_of(id)
    if not items[id] then
      items[id] = { id = id, score = 0, values = {}, has = {}, words = {} }
      ids[#ids + 1] = id
    end
    return items[id]
  end
  for _, id in ipairs(known) do item_of(id) end

  local lists = lists_of(p, family, tokens, expansions, redis.call('ZCARD', p .. census))
  local room, look_ups = READ, LOOKED_UP
  for _, list in ipairs(lists) do
    if room > 0 then
      -- Of a list that is too long those who have the word in the title come first.
      local read = redis.call('ZREVRANGE', list.key, 0, room - 1, 'WITHSCORES')
      for i = 1, #read, 2 do credit(item_of(read[i]), list, tonumber(read[i + 1])) end
      room = room - #read / 2
      list.whole = #read / 2 == list.n
    end
  end
  for _, list in ipairs(lists) do
    if not list.whole and look_ups > 0 then
      look_ups = look_ups - look_up(list.key, ids, look_ups, function(i, weight)
        credit(items[ids[i]], list, weight)
      end)
    end
  end

  look_up(p .. census, ids, #ids, function(i, at) items[ids[i]].at = at end)
  local ranked = {}
  for _, id in ipairs(ids) do
    if not items[id].at then
      items[id] = nil
    elseif items[id].score > 0 then
      ranked[#ranked + 1] = items[id]
    end
  end
  table.sort(ranked, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    if a.at ~= b.at then return a.at > b.at end
    return a.id < b.id
  end)
  return items, ranked
end
