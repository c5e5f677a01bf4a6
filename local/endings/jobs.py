"""Makes a job for each ending, and follows them all to their ends."""

import time
from dataclasses import dataclass
from typing import Any

from local.cloud import Cloud
from local.demo import senders
from local.demo.control import ENDS, Api, Waiting
from local.demo.people import GitHubPeople
from local.demo.screen import Screen
from local.demo.senders import Tally
from local.endings.outside import Outside
from local.endings.scenarios import ENDINGS, SLEEPS, Ending
from local.endings.watch import Watch
from local.parts import ROOT

REPOSITORY = "acme/larder"
QUIET_SECONDS = 240
LEAVE_SECONDS = 30
PAUSE_SECONDS = 1.0  # all jobs are asked after each time


@dataclass(frozen=True)
class Ended:
    """A job that has come to its end."""

    ending: Ending
    job: dict[str, Any]
    processes: int

    @property
    def seconds(self) -> float:
        """From when it was asked for to its end."""
        taken: int = self.job["updated_at"] - self.job["created_at"]
        return taken / 1000

    def faults(self) -> list[str]:
        """What is not as it should be about this end."""
        job, ending = self.job, self.ending
        found = [
            f"{name} is {job[name]}, not {wanted}"
            for name, wanted in (
                ("state", ending.state),
                ("cause", ending.cause),
                ("attempt", ending.attempts),
            )
            if job[name] != wanted
        ]
        if not job["reason"]:
            found.append("there is no reason")
        if not job["deadline"] or job["updated_at"] > job["deadline"]:
            found.append("it did not end within its deadline")
        if not self.processes:
            found.append("no process was seen at work")
        return found


class Endings:
    """All the endings in one cloud; its methods raise ``Unfinished`` and ``httpx.HTTPError``."""

    def __init__(self, cloud: Cloud, api: Api, screen: Screen) -> None:
        self._cloud, self._api, self._screen = cloud, api, screen
        self._waiting = Waiting(cloud, screen, QUIET_SECONDS, PAUSE_SECONDS)
        self._outside, self._watch = Outside(cloud), Watch()
        self._acted: set[tuple[str, int]] = set()
        self._clusters: dict[str, str] = {}

    def report(self) -> None:
        """Make the projects, and send each of them its report by a signed webhook."""
        person = self._cloud.credentials.person
        people = GitHubPeople(self._cloud.addresses.github, person, REPOSITORY)
        people.create_repository(str(ROOT / "sample/repository"))
        tally = Tally()
        for ending in ENDINGS:
            project = ending.project
            self._api.ensure_project(project, ending.name, REPOSITORY)
            settings = {"name": ending.name, "repository": REPOSITORY, **ending.settings}
            self._api.call("PUT", f"/projects/{project}", json=settings)
            secret = self._cloud.credentials.webhook_secret(project)
            source = self._api.ensure_source(project, "standard", secret)
            row = {"id": project, "title": ending.title, "text": ending.text}
            senders.send_all([row], {"standard": source}, tally, lambda _: None)
            self._api.call("POST", "/clusters/rebalance", json={"project": project})
        for refused in tally.refused:
            self._screen.say(f"  not accepted: {refused}")
        self._clusters = self._waiting.until(self._clustered)

    def _clustered(self) -> tuple[str, dict[str, str] | None]:
        found: dict[str, str] = {}
        for project in (ending.project for ending in ENDINGS):
            for cluster in self._api.call("GET", "/clusters", params={"project": project})["items"]:
                found[project] = cluster["id"]
        return f"{len(found)} clusters", found if len(found) == len(ENDINGS) else None

    def follow(self) -> list[Ended]:
        """Ask for a fix of each cluster; the jobs as they are at their ends."""
        jobs = {
            project: self._api.call("POST", f"/clusters/{cluster}/fix")["id"]
            for project, cluster in self._clusters.items()
        }
        ended: dict[str, Ended] = {}

        def look() -> tuple[str, list[Ended] | None]:
            self._watch.look()
            states = []
            for ending in ENDINGS:
                if ending.project in ended:
                    continue
                job = self._api.call("GET", f"/jobs/{jobs[ending.project]}")
                if job["state"] in ENDS:
                    ended[ending.project] = Ended(ending, job, self._watch.seen(job["id"]))
                    self._screen.say(f"  {ending.name}: {job['state']} ({job['cause']})")
                    continue
                states.append(f"{ending.name} {job['state']}")
                self._act(ending, job)
            done = [ended[ending.project] for ending in ENDINGS] if not states else None
            return ", ".join(states), done

        return self._waiting.until(look)

    def _act(self, ending: Ending, job: dict[str, Any]) -> None:
        """Do to the job what its ending is about, once in each attempt, when its engine sleeps."""
        attempt = (job["id"], job["attempt"])
        is_time = job["state"] == "running" and self._watch.runs(*attempt, SLEEPS)
        if not ending.act or not is_time or attempt in self._acted:
            return
        self._acted.add(attempt)
        if ending.act == "cancel":
            self._api.call("POST", f"/jobs/{job['id']}/cancel")
        else:
            self._outside.stop_task(*attempt)

    def left(self) -> list[str]:
        """What is not gone some seconds after the last end: processes, tasks, locks."""
        until = time.monotonic() + LEAVE_SECONDS
        while (found := self._still_there()) and time.monotonic() < until:
            self._watch.look()
            time.sleep(0.25)
        return found

    def _still_there(self) -> list[str]:
        found = [f"process {process.pid} ({process.name})" for process in self._watch.left()]
        found += [f"task {arn}" for arn in self._outside.tasks_left()]
        found += self._outside.held([ending.project for ending in ENDINGS])
        for project, cluster in self._clusters.items():
            if job := self._api.call("GET", f"/clusters/{cluster}")["live_job"]:
                found.append(f"{project}: the cluster's live job {job}")
            counts = self._api.stats(project)["jobs"]
            live = sum(count for state, count in counts.items() if state not in ENDS)
            if live:
                found.append(f"{project}: {live} jobs that have not ended")
        return found
