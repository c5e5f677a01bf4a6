--#include audit
--#include standing
-- Adds a version of a cluster's plan. ARGV: project, cluster, the version as JSON, the number of the
-- version that it is based on (0 for none), how many versions there may be.
-- Returns {outcome, text}: missing or merged (see lib/standing.lua), added, same (the latest version
-- says this already) or newer (than what it is based on) with the latest version, '' for none, or full.
local p = 'p:' .. ARGV[1] .. ':'
local cl = p .. 'cl:' .. ARGV[2]
local cannot = standing(cl)
if cannot then return cannot end

-- What a version says, by whomever and whenever.
local function says(version)
  local it = cjson.decode(version)
  return cjson.encode({ it.problem, it.reproduction, it.verification, table.concat(it.files, '\n') })
end

local count = redis.call('LLEN', cl .. ':plans')
local latest = redis.call('LINDEX', cl .. ':plans', -1)
if latest and says(latest) == says(ARGV[3]) then return { 'same', latest } end
if count ~= tonumber(ARGV[4]) then return { 'newer', latest or '' } end
if count >= tonumber(ARGV[5]) then return { 'full', '' } end
redis.call('RPUSH', cl .. ':plans', ARGV[3])
local added = cjson.decode(ARGV[3])
audit(p, 'wrote plan', ARGV[2], nil, { version = added.version, by = added.by }, added.at)
return { 'added', ARGV[3] }
