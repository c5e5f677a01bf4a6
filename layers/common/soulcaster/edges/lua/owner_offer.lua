-- Has a text make whoever comes with it an owner of the installation, once; the text before it does so no
-- more. ARGV: HMAC of the text, when it expires, now. Returns JSON of what is shown of each owner there is.
redis.call('HSET', 'sys:owner-token', 'mac', ARGV[1], 'expires', ARGV[2])
-- Only so that it does not stay for ever: `expires` says when it is over.
redis.call('PEXPIRE', 'sys:owner-token', string.format('%.0f', ARGV[2] - ARGV[3] + 86400000))
return redis.call('HVALS', 'sys:owners')
