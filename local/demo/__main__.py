"""python -m local.demo: loads feedback, clusters it, has one fix made, says what happened."""

import argparse
import gzip
import json
import os
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from local.__main__ import hold, stop_on_signals, welcome
from local.cloud import Cloud, Running
from local.demo import senders
from local.demo.control import ENDS, Api, Unfinished, wait
from local.demo.proof import run_tests
from local.demo.senders import GitHubPeople, Tally
from local.parts import ROOT, PartFailed

PROJECT, REPOSITORY = "larder", "acme/larder"
SAMPLE = ROOT / "sample/feedback.jsonl"
STORE_SECONDS, CLUSTER_SECONDS, FIX_SECONDS = 300, 1800, 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end when done")
    parser.add_argument("--feedback", type=Path, help="a .jsonl or .jsonl.gz file to load instead")
    parser.add_argument("--state", type=Path, default=Path(".soulcaster"))
    options = parser.parse_args()
    stopped = stop_on_signals()
    began = time.monotonic()
    try:
        rows = read(options.feedback or SAMPLE)
        with Cloud(options.state, os.environ) as cloud:
            say(f"The local cloud is up after {time.monotonic() - began:.1f} s.")
            run = load_file if options.feedback else load_sample
            worked = run(cloud, Api(cloud), rows, options.feedback or SAMPLE)
            print("\n" + ("All of it worked." if worked else "NOT all of it worked; see above."))
            if options.exit:
                return 0 if worked else 1
            print("\n" + welcome(cloud), flush=True)
            return hold(cloud, stopped)
    except (Running, PartFailed, Unfinished, ValueError, OSError, httpx.HTTPError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def say(line: str) -> None:
    print(line, flush=True)


def read(file: Path) -> list[dict[str, Any]]:
    """The file's rows; raises ``ValueError`` naming the line at fault."""
    rows = []
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = json.loads(line)
                for name in ("id", "source", "created_at"):
                    if name not in row:
                        raise ValueError(f"{file}: line {number} has no {name}")
                rows.append(row)
    return rows


def load_sample(cloud: Cloud, api: Api, rows: list[dict[str, Any]], file: Path) -> bool:
    """The sample: every source by its own way in, then a fix of the largest cluster."""
    del file
    people = GitHubPeople(cloud.addresses.github, cloud.credentials.person, REPOSITORY)
    people.create_repository(str(ROOT / "sample/repository"))
    api.ensure_project(PROJECT, "Larder", REPOSITORY)
    tally = Tally()
    sources = {kind: api.add_source(PROJECT, kind) for kind in ("sentry", "standard", "github")}
    api.add_source(PROJECT, "reddit", subreddits=["larder"])

    by_source: dict[str, list[dict[str, Any]]] = {"github": [], "reddit": [], "other": []}
    for row in rows:
        by_source[row["source"] if row["source"] in by_source else "other"].append(row)
    say(f"Sending {len(rows)} items of feedback …")
    senders.send_all(by_source["other"], sources, tally)
    hook = people.add_webhook(sources["github"]["webhook"], sources["github"]["secret"])
    people.open_issues(by_source["github"], hook, tally)
    senders.post_submissions(cloud.addresses.reddit, by_source["reddit"])
    polled = sum(api.poll().values())
    tally.answers[202] += polled
    if not group(api, PROJECT, len(rows), tally):
        return False
    return fix(cloud, api, people)


def load_file(cloud: Cloud, api: Api, rows: list[dict[str, Any]], file: Path) -> bool:
    """Any file: all of it through Standard Webhooks, into a project of its own."""
    del cloud
    name = file.name.removesuffix(".gz").removesuffix(".jsonl")
    project = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].rstrip("-")
    api.ensure_project(project, name, "")
    tally = Tally()
    source = api.add_source(project, "standard")
    say(f"Sending {len(rows)} items of feedback …")
    senders.send_all(rows, {"standard": source}, tally)
    worked = group(api, project, len(rows), tally)
    say("\nNo fix: this feedback comes with no repository.")
    return worked


def group(api: Api, project: str, sent: int, tally: Tally) -> bool:
    """Wait until everything is stored, have it clustered, report; whether nothing was lost."""
    for refused in tally.refused:
        say(f"  not accepted: {refused}")

    def stored() -> dict[str, Any] | None:
        stats = api.stats(project)
        return stats if stats["stored"] >= tally.accepted else None

    wait("stored", STORE_SECONDS, stored)
    api.call("POST", "/clusters/rebalance", json={"project": project})

    def clustered() -> dict[str, Any] | None:
        stats = api.stats(project)
        return stats if stats["pending"] == 0 else None

    stats = wait("clustered", CLUSTER_SECONDS, clustered)
    say("")
    say(f"  sent       {sent:>6}")
    say(f"  accepted   {tally.accepted:>6}")
    say(f"  stored     {stats['stored']:>6}")
    say(f"  clustered  {stats['clustered']:>6}   in {stats['clusters']} clusters")
    say("\nThe largest clusters:")
    page = api.call("GET", "/clusters", params={"project": project, "sort": "size", "limit": 8})
    for cluster in page["items"]:
        sources = ", ".join(f"{n} {kind}" for kind, n in sorted(cluster["sources"].items()))
        say(f"  {cluster['size']:>4}  {cluster['name']}  ({sources})")
    return sent == tally.accepted == stats["stored"] == stats["clustered"]


def fix(cloud: Cloud, api: Api, people: GitHubPeople) -> bool:
    """Ask for a fix of the largest cluster and follow it to its pull request."""
    page = api.call("GET", "/clusters", params={"project": PROJECT, "sort": "size", "limit": 1})
    cluster = page["items"][0]
    asked = api.call("POST", f"/clusters/{cluster['id']}/fix")
    say(f"\nA fix of “{cluster['name']}” was asked for: {asked['id']}")
    shown = 0

    def ended() -> dict[str, Any] | None:
        nonlocal shown
        job: dict[str, Any] = api.call("GET", f"/jobs/{asked['id']}")
        for entry in job["history"][shown:]:
            at = datetime.fromtimestamp(entry["at"] / 1000).astimezone().strftime("%H:%M:%S")
            say(f"  {at}  {entry['state']:<11} {entry['reason']}")
        shown = len(job["history"])
        return job if job["state"] in ENDS else None

    job = wait("the fix", FIX_SECONDS, ended)
    if job["state"] != "pr_open":
        return False
    pull = people.pull_request(job["pull_request"]["number"])
    branch = pull["head"]["ref"]
    clone_url = f"{cloud.addresses.github}/{REPOSITORY}.git"
    tests = run_tests(clone_url, cloud.credentials.person, branch)
    say(f"\nDraft pull request: {job['pull_request']['url']}")
    say(f"  draft   {pull['draft']}")
    say(f"  branch  {branch}")
    say(f"  tests   {'pass' if tests.passed else 'FAIL'} on the branch ({tests.says})")
    return bool(pull["draft"]) and tests.passed


if __name__ == "__main__":
    sys.exit(main())
