"""Redis over Upstash's REST protocol: one script is one round trip, and the only way in."""

import json
import re
from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

import httpx
from upstash_redis import Redis as Client
from upstash_redis.errors import UpstashError

from soulcaster.edges import scripts

if TYPE_CHECKING:
    from soulcaster.rules.access import Caller

TIMEOUT_SECONDS = 2.0
# What the client stumbles over when the answer is not Redis's, such as a proxy's page.
_NOT_REDIS = (ValueError, KeyError, AttributeError, AssertionError)
_REFUSED = re.compile(r"ACCESS ([A-Z]+)(?: ([0-9]+))?")


class RedisError(Exception):
    """Redis answered with an error: the script was not run, or not to its end."""


class Unreached(RedisError):  # noqa: N818 - names what is
    """Redis did not answer. Nothing is known of a write's effect."""


class Stale(RedisError):  # noqa: N818 - an outcome, not a fault
    """Somebody else has taken over; what was to be written was not."""


class Denied(Exception):  # noqa: N818 - an outcome, not a fault
    """Whoever asks may not have the script run; nothing of it was.

    ``why`` is UNKNOWN, FOREIGN, FORBIDDEN or LIMITED, see lua/lib/admit.lua; ``seconds`` is how
    long one that is LIMITED has to wait.
    """

    def __init__(self, why: str, seconds: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


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
        self._caller: Caller | None = None

    def acting(self, caller: "Caller") -> "Redis":
        """The same Redis as somebody from outside may use it.

        Each script first looks whether ``caller`` may do what its route needs in the project that
        is the script's first argument, and else raises ``Denied`` and does nothing.
        """
        bound = copy(self)
        bound._caller = caller  # noqa: SLF001 - its own kind
        return bound

    def run(self, script: str, *args: str | float) -> Any:
        """Run ``lua/<script>.lua`` with ``args``; one HTTP request."""
        given = [str(arg) for arg in args]
        if self._caller:
            given.insert(0, json.dumps(self._caller.question()))
        try:
            # The text goes along each time: EVALSHA would save its 2 kB and cost a second
            # request whenever the server does not have it.
            return self._client.eval(_source(script, bool(self._caller)), args=given)
        except UpstashError as error:
            if self._caller and (refused := _REFUSED.search(str(error))):
                raise Denied(refused[1], int(refused[2] or 0)) from error
            kind = Stale if "STALE" in str(error) else RedisError
            raise kind(f"{script}: {error}") from error
        except (httpx.HTTPError, *_NOT_REDIS) as error:
            raise Unreached(f"{script}: {type(error).__name__}: {error}") from error


def _source(script: str, guarded: bool) -> str:
    """The script's text; what is ``guarded`` begins with lib/admit.lua, which sets ``caller``.

    For others there is none.
    """
    before = scripts.source("lib/admit") if guarded else "local caller\n"
    return before + scripts.source(script)


def record(flat: Iterable[Any]) -> dict[str, Any]:
    """``[field, value, …]`` as a mapping, which is how HGETALL comes out of a script."""
    values = list(flat)
    return dict(zip(values[::2], values[1::2], strict=True))
