-- A project's JSON, or '' when there is none. ARGV: project.
return redis.call('GET', 'p:' .. ARGV[1] .. ':project') or ''
