-- The installation's owners. ARGV: '' (no project). Returns persons and what is shown of each.
return redis.call('HGETALL', 'sys:owners')
