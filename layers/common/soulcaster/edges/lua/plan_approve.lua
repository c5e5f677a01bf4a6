--#include audit
--#include standing
-- A person approves a version of a cluster's plan: fixes run on it from now on. To say it again changes
-- nothing. ARGV: project, cluster, version, now, who. Returns {outcome, text}: missing or merged (see
-- lib/standing.lua), no_plan (there is no such version), or approved with the version as JSON.
local p = 'p:' .. ARGV[1] .. ':'
local cl = p .. 'cl:' .. ARGV[2]
local cannot = standing(cl)
if cannot then return cannot end
local place = tonumber(ARGV[3]) - 1
local version = place >= 0 and redis.call('LINDEX', cl .. ':plans', place)
if not version then return { 'no_plan', '' } end
local was = redis.call('HGET', cl, 'plan')
if was == ARGV[3] then return { 'approved', version } end
local plan = cjson.decode(version)
plan.approved_at, plan.approved_by = tonumber(ARGV[4]), ARGV[5]
version = cjson.encode(plan)
-- An empty list comes out as an object; in a text the quotation marks would be escaped.
if #plan.files == 0 then version = version:gsub('"files":{}', '"files":[]', 1) end
redis.call('LSET', cl .. ':plans', place, version)
redis.call('HSET', cl, 'plan', ARGV[3])
audit(p, 'approved plan', ARGV[2], was and { version = tonumber(was) } or nil, { version = tonumber(ARGV[3]) }, ARGV[4])
return { 'approved', version }
