"""What the demo does as a user of the API, and as somebody who waits."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from local import owner
from local.cloud import Cloud
from local.demo.screen import Screen
from local.keys import Keys

# A run of the clusterer that was killed keeps its lease for five minutes.
QUIET_SECONDS = 600
NOTICED_SECONDS = 20
PER_MINUTE = 100_000  # deliveries: all that people said in months comes at once here
# The states in which a job stays. The product's own list is not on this process's path.
ENDS = frozenset(
    {"pr_open", "no_change", "refused", "failed", "cancelled", "timed_out", "over_budget"}
)


class Unfinished(RuntimeError):  # noqa: N818 - names what happened
    """Something that should have happened did not, in all the time it was given."""


class Unavailable(Unfinished):
    """The API could not answer now."""


class Api:
    """The API as the person calls it who owns the local installation.

    Every method may raise ``Unfinished``.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._client = httpx.Client(
            base_url=cloud.addresses.api, auth=cloud.maintainer, timeout=60, trust_env=False
        )
        self._control = httpx.Client(base_url=cloud.addresses.control, timeout=300, trust_env=False)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON; None where there is no content."""
        answer = self._answer(method, path, **options)
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unavailable(f"{method} {path}: {type(error).__name__}: {error}") from error
        if not answer.is_success:
            kind = Unavailable if answer.status_code >= 502 else Unfinished
            raise kind(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def enter(self) -> None:
        """Become the installation's owner by its one-time text, unless that is so already."""
        me = self.call("GET", "/me")
        if not me["owner"]:
            try:
                offered = owner.offer(self._cloud.folder)
            except owner.NotOffered as error:
                raise Unfinished(str(error)) from error
            self.call("POST", "/installation/owner", json={"token": offered})

    def key(self, project: str) -> str:
        """A key to the project for a person at this machine, the same in every run."""
        keys = Keys(self._cloud.folder)
        if project not in keys.kept:
            body = {"name": "this machine", "scopes": ["ingest", "read", "triage", "fix"]}
            made = self.call("POST", f"/projects/{project}/keys", json=body)
            keys.keep(project, made["key"])
        return keys.kept[project]

    def ensure_project(self, project: str, name: str, repository: str) -> None:
        """Make the project, unless it is there."""
        if project not in {known["id"] for known in self.call("GET", "/projects")}:
            body = {"id": project, "name": name, "repository": repository}
            self.call("POST", "/projects", json=body)

    def ensure_source(
        self, project: str, kind: str, secret: str | None = None, **config: Any
    ) -> dict[str, Any]:
        """Make the source of a kind, unless it is there; returns it with its secret and address."""
        known: list[dict[str, Any]] = self.call("GET", "/sources", params={"project": project})
        for source in known:
            if source["name"] == kind:
                return {**source, "secret": secret}
        body = {
            "project": project,
            "name": kind,
            "kind": kind,
            "config": config,
            "per_minute": PER_MINUTE,
        }
        made: dict[str, Any] = self.call("POST", "/sources", json={**body, "secret": secret})
        return made

    def stats(self, project: str) -> dict[str, Any]:
        """The project's counters."""
        found: dict[str, Any] = self.call("GET", "/stats", params={"project": project})
        return found

    def grouping(self, project: str) -> dict[str, Any]:
        """How often the project's clusters were looked at, and what came since."""
        found: dict[str, Any] = self.call("GET", f"/projects/{project}/grouping")
        return found

    def poll(self) -> dict[str, int]:
        """Do now what the schedule does every five minutes; returns items by source."""
        answer = self._control.post("/_local/invoke/PollFunction", json={"id": "demo"})
        if not answer.is_success or "x-amz-function-error" in answer.headers:
            raise Unfinished(f"PollFunction: {answer.status_code} {answer.text[:200]}")
        found: dict[str, int] = answer.json()
        return found


class Waiting:
    """Waits for as long as something moves."""

    def __init__(
        self,
        cloud: Cloud,
        screen: Screen,
        quiet_seconds: float = QUIET_SECONDS,
        pause_seconds: float = 0.25,
    ) -> None:
        """``pause_seconds``: between two looks, which may not be too many requests for a minute."""
        self._cloud = cloud
        self._screen = screen
        self._quiet = quiet_seconds
        self._pause = pause_seconds

    def until[T](self, look: Callable[[], tuple[str, T | None]]) -> T:
        """What ``look`` returns beside how far it is, once that is not None.

        Raises ``Unfinished`` when nothing has moved for ``quiet_seconds``, and ``PartFailed``
        when a part of the cloud has ended.
        """
        before, moved = "", time.monotonic()
        while True:
            self._cloud.check()
            text, found = _tolerant(look, before)
            if found is not None:
                self._screen.clear()
                return found
            if text != before:
                before, moved = text, time.monotonic()
            still = time.monotonic() - moved
            if still > self._quiet:
                raise Unfinished(f"{before}: nothing has moved for {still:.0f} s")
            since = f" (for {still // 10 * 10:.0f} s)" if still > NOTICED_SECONDS else ""
            self._screen.progress(before + since)
            time.sleep(self._pause)


def _tolerant[T](look: Callable[[], tuple[str, T | None]], before: str) -> tuple[str, T | None]:
    try:
        return look()
    except Unavailable:
        return before, None  # as good as no progress
