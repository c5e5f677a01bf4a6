-- How much a cluster matters, from 0 to 100. The formula is here and nowhere else; docs/impact.md
-- says why it is what it is.
local DAY = 86400000
local WEEK_DAYS, EARLIER_DAYS = 7, 28 -- "this week", and the four weeks before it
local RANKED_DAYS = 60 -- without a report for so long a cluster's rank no longer changes
local HALF_LIFE_DAYS = 14
local SEVERITY = { fatal = 1, error = 0.6, warning = 0.3, info = 0.1 }
local UNKNOWN_SEVERITY = 0.2 -- people who complain don't say how bad it is

local function log2(x) return math.log(x) / math.log(2) end

-- Reports a week at present. Counts of reports are Poisson; their rate has a Gamma prior. The
-- usual rate is the posterior mean over four earlier weeks, under a prior of half a report in one
-- week. Two weeks at that rate are the prior for this week's, so that one report is no trend. What
-- goes beyond the usual counts twice.
local function velocity(week, earlier)
  local usual = (earlier + 0.5) / (EARLIER_DAYS / 7 + 1)
  local rate = (week + 2 * usual) / (1 + 2)
  return rate + math.max(0, rate - usual)
end

-- `n` with `sigmas` standard deviations added: a Poisson count's deviation is its square root.
local function shifted(n, sigmas) return math.max(0, n + sigmas * math.sqrt(n)) end

-- The score when all counts are so many standard deviations higher. Logarithms: the hundredth
-- report says less than the second. Each further 6 points halve what is missing to 100.
local function score(m, sigmas)
  local points = log2(1 + shifted(m.reporters, sigmas))
    + 0.8 * log2(math.max(1, m.kinds))
    + 0.35 * log2(1 + velocity(shifted(m.week, sigmas), shifted(m.earlier, sigmas)))
    + m.worst + 0.5 * m.serious
  local recency = 0.5 + 0.5 * 2 ^ (-m.silent / HALF_LIFE_DAYS)
  return 100 * (1 - 2 ^ (-points * recency / 6))
end

-- What the formula needs to know of a cluster with `size` items. `serious` is the share of errors
-- among the items; `silent` is how many days ago its last report was.
local function measured(cl, size, last_seen, now)
  local m = { week = 0, earlier = 0, kinds = 0, worst = 0, serious = 0,
    reporters = redis.call('HLEN', cl .. ':reporters') }
  local rest = size
  for severity, weight in pairs(SEVERITY) do
    local n = tonumber(redis.call('HGET', cl, 'severity:' .. severity) or '0')
    rest = rest - n
    if n > 0 then m.worst = math.max(m.worst, weight) end
    if severity == 'error' or severity == 'fatal' then m.serious = m.serious + n / size end
  end
  if rest > 0 then m.worst = math.max(m.worst, UNKNOWN_SEVERITY) end
  for _, field in ipairs(redis.call('HKEYS', cl)) do
    if field:sub(1, 7) == 'source:' then m.kinds = m.kinds + 1 end
  end
  local today, days = math.floor(now / DAY), {}
  for ago = 0, RANKED_DAYS - 1 do days[ago + 1] = string.format('%.0f', today - ago) end
  for i, n in ipairs(redis.call('HMGET', cl .. ':days', unpack(days))) do
    local ago = i - 1
    if n then
      m.silent = m.silent or ago
      if ago < WEEK_DAYS then
        m.week = m.week + n
      elseif ago < WEEK_DAYS + EARLIER_DAYS then
        m.earlier = m.earlier + n
      end
    end
  end
  m.silent = m.silent or math.max(RANKED_DAYS, today - math.floor(last_seen / DAY))
  return m
end

local RATING = { 'impact', 'impact_low', 'impact_high', 'reporters', 'week', 'earlier', 'silent',
  'ranked_at' }

-- Rates a cluster, and keeps with it what the rating says and what it was made from. Returns the
-- score in tenths, and whether it changes as time goes by.
local function rate(cl, size, last_seen, now)
  local m = measured(cl, size, last_seen, now)
  local is = score(m, 0)
  redis.call('HSET', cl, 'impact', string.format('%.1f', is),
    'impact_low', string.format('%.1f', score(m, -1)),
    'impact_high', string.format('%.1f', score(m, 1)),
    'reporters', m.reporters, 'week', string.format('%.0f', m.week),
    'earlier', string.format('%.0f', m.earlier), 'silent', m.silent,
    'ranked_at', string.format('%.0f', now))
  return math.floor(is * 10 + 0.5), m.silent < RANKED_DAYS
end

-- What is empty has no rating.
local function unrate(cl) redis.call('HDEL', cl, unpack(RATING)) end
