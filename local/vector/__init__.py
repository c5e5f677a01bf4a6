"""Upstash Vector of the local cloud: a dense cosine index, searched exactly, kept in SQLite."""

from local.vector.front import app

__all__ = ["app"]
