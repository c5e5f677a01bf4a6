"""What the demo does as a user of the API, and as somebody who waits."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from local.cloud import Cloud

ENDS = ("pr_open", "no_change", "refused", "failed", "timed_out")


class Unfinished(RuntimeError):  # noqa: N818 - names what happened
    """Something that should have happened did not, in all the time it was given."""


class Api:
    """The API with the installation's key."""

    def __init__(self, cloud: Cloud) -> None:
        self._client = httpx.Client(
            base_url=cloud.addresses.api,
            headers={"authorization": f"Bearer {cloud.api_key}"},
            timeout=60,
        )
        self._control = httpx.Client(base_url=cloud.addresses.control, timeout=300)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The answer's JSON; raises for what is no success."""
        return self._client.request(method, path, **options).raise_for_status().json()

    def ensure_project(self, project: str, name: str, repository: str) -> None:
        """Make the project, or set it as wanted."""
        wanted = {"name": name, "repository": repository}
        answer = self._client.post("/projects", json={"id": project, **wanted})
        if answer.status_code == httpx.codes.CONFLICT:
            self.call("PUT", f"/projects/{project}", json=wanted)
        else:
            answer.raise_for_status()

    def add_source(self, project: str, kind: str, **config: Any) -> dict[str, Any]:
        """Make a source of a kind; returns it with its secret and address."""
        body = {"project": project, "name": kind, "kind": kind, **config}
        made: dict[str, Any] = self.call("POST", "/sources", json=body)
        return made

    def stats(self, project: str) -> dict[str, Any]:
        """The project's counters."""
        found: dict[str, Any] = self.call("GET", "/stats", params={"project": project})
        return found

    def poll(self) -> dict[str, int]:
        """Do now what the schedule does every five minutes; returns items by source."""
        answer = self._control.post("/_local/invoke/PollFunction", json={"id": "demo"})
        found: dict[str, int] = answer.raise_for_status().json()
        return found


def wait[T](what: str, seconds: float, look: Callable[[], T | None]) -> T:
    """What ``look`` returns once it is not None; raises ``Unfinished`` when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise Unfinished(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.25)
