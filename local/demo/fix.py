"""Has the largest cluster fixed, and looks at what came out."""

from datetime import datetime
from typing import Any

from local.cloud import Cloud
from local.demo.control import Api, Waiting
from local.demo.people import GitHubPeople
from local.demo.proof import prove
from local.demo.screen import Screen

ENDS = ("pr_open", "no_change", "refused", "failed", "timed_out", "over_budget")
# An agent may work for as long as its job allows without a change that can be seen from here.
QUIET_SECONDS = 40 * 60


def fix(
    cloud: Cloud, api: Api, people: GitHubPeople, project: str, repository: str, screen: Screen
) -> bool:
    """Ask for a fix of the largest cluster, unless it has one, and check its pull request."""
    page = api.call("GET", "/clusters", params={"project": project, "sort": "size", "limit": 1})
    cluster = page["items"][0]
    job = _earlier(api, people, cluster["id"])
    if job:
        screen.say(f"\n“{cluster['name']}” has a pull request from an earlier run ({job['id']}).")
    else:
        asked = api.call("POST", f"/clusters/{cluster['id']}/fix")
        screen.say(f"\nA fix of “{cluster['name']}” was asked for: {asked['id']}")
        job = _follow(api, asked["id"], Waiting(cloud, screen, QUIET_SECONDS), screen)
    if job["state"] != "pr_open":
        return False
    pull = people.pull_request(job["pull_request"]["number"])
    clone_url = f"{cloud.addresses.github}/{repository}.git"
    proof = prove(clone_url, cloud.credentials.person, pull["base"]["ref"], pull["head"]["ref"])
    kind = "Draft pull request" if pull["draft"] else "Pull request"
    screen.say(f"\n{kind}: {job['pull_request']['url']}")
    screen.say(f"  branch     {pull['head']['ref']}")
    screen.say(f"  tests      {'pass' if proof.passes else 'FAIL'} on the branch ({proof.says})")
    screen.say(
        "  new tests  "
        + ("fail on main, as they should" if proof.fails_before else "do NOT fail on main")
    )
    return proof.passes and proof.fails_before


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
