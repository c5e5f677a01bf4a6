-- Nothing, for those who may have it done: what is put before it decides. ARGV: project.
return 1
