"""What the API asks of Redis."""

from typing import Any

import pytest

from soulcaster.edges.redis import Redis


def scripts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the scripts that are run from now on; each is one request."""
    ran: list[str] = []
    run = Redis.run

    def noted(redis: Redis, script: str, *args: str | float) -> Any:
        ran.append(script)
        return run(redis, script, *args)

    monkeypatch.setattr(Redis, "run", noted)
    return ran
