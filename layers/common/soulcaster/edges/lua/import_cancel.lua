--#include import
--#include audit
-- Ends an import early; what it has stored stays. ARGV: project, id, now.
-- Returns the state it was in, '' when there is none.
local p = 'p:' .. ARGV[1] .. ':'
local key = import_key(p, ARGV[2])
local state = redis.call('HGET', key, 'state')
if not state then return '' end
if not ENDED[state] then
  import_is(key, 'cancelled', '', ARGV[3])
  audit(p, 'cancelled import', ARGV[2], { state = state }, { state = 'cancelled' }, ARGV[3])
end
return state
