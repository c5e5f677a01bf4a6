"""Has the largest cluster fixed by a plan, and looks at what came out."""

from datetime import datetime
from typing import Any

from local.cloud import Cloud
from local.demo.control import ENDS, Api, Waiting
from local.demo.people import GitHubPeople
from local.demo.screen import Screen

# An agent may work for as long as its job allows without a change that can be seen from here.
QUIET_SECONDS = 40 * 60
SHOWN_CHARS = 100
# How the pull request heads the logs of the tests.
LOGS = {"without the change": "Without the change: ", "with it": "With the change: status 0"}


def fix(cloud: Cloud, api: Api, people: GitHubPeople, project: str, screen: Screen) -> bool:
    """Ask for a fix of the largest cluster, unless it has one; whether it is proven."""
    page = api.call("GET", "/clusters", params={"project": project, "sort": "size", "limit": 1})
    cluster = page["items"][0]
    job = _earlier(api, people, cluster["id"])
    if job:
        screen.say(f"\n“{cluster['name']}” has a pull request from an earlier run ({job['id']}).")
    else:
        _plan(api, cluster, screen)
        asked = api.call("POST", f"/clusters/{cluster['id']}/fix")
        screen.say(f"\nA fix of “{cluster['name']}” was asked for: {asked['id']}")
        job = _follow(api, asked["id"], Waiting(cloud, screen, QUIET_SECONDS), screen)
    if job["state"] != "pr_open":
        return False
    return _show(job, people.pull_request(job["pull_request"]["number"]), cloud, screen)


def _plan(api: Api, cluster: dict[str, Any], screen: Screen) -> None:
    """Have a plan drafted, and approve it as a person would."""
    place = f"/clusters/{cluster['id']}/plan"
    plan = api.call("POST", place)
    problem = " ".join(plan["problem"].split())
    if len(problem) > SHOWN_CHARS:
        problem = problem[: SHOWN_CHARS - 1] + "…"
    screen.say(f"\nA plan for “{cluster['name']}”, version {plan['version']} by {plan['by']}:")
    screen.say(f"  {problem}")
    approved = api.call("POST", f"{place}s/{plan['version']}/approve")
    screen.say(f"  approved by {approved['approved_by']}")


def _show(job: dict[str, Any], pull: dict[str, Any], cloud: Cloud, screen: Screen) -> bool:
    """Say what the job came to; whether it is proven, for all to read in its pull request."""
    logs = [name for name, heading in LOGS.items() if heading in (pull["body"] or "")]
    cost = job["cost"]
    bound = "" if cost["exact"] else "at most "
    imagined = " (were it no recording)" if cloud.services.emulated("model") else ""
    place = f"{cloud.addresses.api}/jobs/{job['id']}"
    kind = "Draft pull request" if pull["draft"] else "Pull request"
    screen.say(f"\n{kind}: {job['pull_request']['url']}")
    screen.say(f"  branch     {pull['head']['ref']}")
    screen.say(f"  verdict    {job['verdict']}")
    screen.say(f"  its tests  log {' and '.join(logs) or 'NOT there'}, in the pull request")
    screen.say(
        f"  cost       {bound}${cost['dollars']:.4f} of ${cost['budget']:.2f}:"
        f" {cost['model_calls']} model calls, {cost['tokens_read']:,} tokens read,"
        f" {cost['tokens_written']:,} written{imagined}"
    )
    screen.say(f"  log        {place}/logs")
    screen.say(f"  record     {place}/record")
    return job["verdict"] == "proven" and len(logs) == len(LOGS)


def _earlier(api: Api, people: GitHubPeople, cluster: str) -> dict[str, Any] | None:
    """A job of the cluster whose pull request is still open."""
    jobs: list[dict[str, Any]] = api.call("GET", f"/clusters/{cluster}")["jobs"]
    for job in jobs:
        if job["state"] == "pr_open" and job["pull_request"]:
            pull = people.pull_request(job["pull_request"]["number"])
            if pull["state"] == "open":
                return job
    return None


def _follow(api: Api, identifier: str, waiting: Waiting, screen: Screen) -> dict[str, Any]:
    """The job once it has ended; every state it comes into is shown."""
    shown = 0

    def ended() -> tuple[str, dict[str, Any] | None]:
        nonlocal shown
        job: dict[str, Any] = api.call("GET", f"/jobs/{identifier}")
        for entry in job["history"][shown:]:
            at = datetime.fromtimestamp(entry["at"] / 1000).astimezone().strftime("%H:%M:%S")
            screen.say(f"  {at}  {entry['state']:<11} {entry['reason']}")
        shown = len(job["history"])
        return f"{job['state']} …", job if job["state"] in ENDS else None

    return waiting.until(ended)
