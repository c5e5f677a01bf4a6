"""Upstash Redis of the local cloud: its REST protocol in front of a real Valkey."""

from local.redis_rest.front import app, started

__all__ = ["app", "started"]
