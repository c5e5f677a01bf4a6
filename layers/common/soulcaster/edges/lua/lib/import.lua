-- Imports. p:{p}:imp:{id} has the fields of its page (see import_store.py) and: turn, the last message's;
-- source, etag of the file; next_rows, next_new: of a chunk that was let in and is not accounted for yet.
-- …:refused is a list of JSON {line, reason, text}; p:{p}:imps has all by when they were made.
local ENDED = { done = true, failed = true, cancelled = true }

local function import_key(p, id) return p .. 'imp:' .. id end

-- Brings the import into a state; `reason` is '' where there is none to give.
local function import_is(key, state, reason, now)
  redis.call('HSET', key, 'state', state, 'reason', reason, 'updated', now)
end
