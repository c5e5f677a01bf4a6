"""Redis over Upstash's REST protocol: one script is one round trip, and the only way in."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import httpx
from upstash_redis import Redis as Client
from upstash_redis.errors import UpstashError

TIMEOUT_SECONDS = 2.0
# What the client stumbles over when the answer is not Redis's, such as a proxy's page.
_NOT_REDIS = (ValueError, KeyError, AttributeError, AssertionError)
_INCLUDE = re.compile(r"^--#include ([a-z_]+)\n", re.MULTILINE)


class RedisError(Exception):
    """Redis answered with an error: the script was not run, or not to its end."""


class Unreached(RedisError):  # noqa: N818 - names what is
    """Redis did not answer. Nothing is known of a write's effect."""


class Stale(RedisError):  # noqa: N818 - an outcome, not a fault
    """Somebody else has taken over; what was to be written was not."""


class Redis:
    """Runs the scripts in ``lua/``.

    Raises ``RedisError`` when the server is silent for 2 seconds. Never retries: every script
    may be run again, but when is for the caller to decide.
    """

    def __init__(self, url: str, token: str) -> None:
        self._client = Client(url, token, rest_retries=0, allow_telemetry=False)
        # The client has no time limit of its own and takes none.
        self._client._http._client = httpx.Client(  # noqa: SLF001
            timeout=httpx.Timeout(TIMEOUT_SECONDS), limits=httpx.Limits(max_connections=8)
        )

    def run(self, script: str, *args: str | float) -> Any:
        """Run ``lua/<script>.lua`` with ``args``; one HTTP request."""
        try:
            # The text goes along each time: EVALSHA would save its 2 kB and cost a second
            # request whenever the server does not have it.
            return self._client.eval(_source(script), args=[str(arg) for arg in args])
        except UpstashError as error:
            kind = Stale if "STALE" in str(error) else RedisError
            raise kind(f"{script}: {error}") from error
        except (httpx.HTTPError, *_NOT_REDIS) as error:
            raise Unreached(f"{script}: {type(error).__name__}: {error}") from error


@cache
def _source(script: str) -> str:
    """The script's text with ``lua/lib/NAME.lua`` in place of each line ``--#include NAME``.

    A library may include others; each stands where it is first wanted, and only there.
    """
    included: set[str] = set()

    def library(line: re.Match[str]) -> str:
        if line[1] in included:
            return ""
        included.add(line[1])
        return _INCLUDE.sub(library, _text(f"lib/{line[1]}.lua"))

    return _INCLUDE.sub(library, _text(f"{script}.lua"))


def _text(path: str) -> str:
    return files("soulcaster.edges.lua").joinpath(path).read_text("utf-8")


def record(flat: Iterable[Any]) -> dict[str, Any]:
    """``[field, value, …]`` as a mapping, which is how HGETALL comes out of a script."""
    values = list(flat)
    return dict(zip(values[::2], values[1::2], strict=True))
