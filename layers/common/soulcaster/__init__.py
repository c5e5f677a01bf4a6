"""Soulcaster: from what users complain about to a verified draft pull request."""
