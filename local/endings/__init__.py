"""The endings: a fix job for each way to end other than a pull request, all at the same time."""
