"""The fix task: claim a job, let an engine work on a clone, hand in the patch."""
