"""The demo: the whole loop, from real feedback to a draft pull request."""
