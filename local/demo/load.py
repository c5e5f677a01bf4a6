"""Gets feedback in by the doors that production has, and says what became of it."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.cloud import Cloud
from local.demo import senders
from local.demo.control import Api, Waiting
from local.demo.feedback_file import Row, moved
from local.demo.fix import fix
from local.demo.people import GitHubPeople, post_submissions
from local.demo.screen import Screen
from local.demo.senders import Tally
from local.parameters import Services
from local.parts import ROOT

PROJECT, REPOSITORY = "larder", "acme/larder"
SHOWN_CLUSTERS = 8


def check_sample(services: Services) -> None:
    """Raise ``ValueError`` when the sample has nowhere to be written."""
    for service, key in (("github", "GITHUB_APP_ID"), ("reddit", "REDDIT_CLIENT_ID")):
        if not services.emulated(service):
            raise ValueError(
                f"{key} is set, but the sample's people write on the emulator of {service} only:"
                " unset it, or load a file with --feedback"
            )


def load_sample(cloud: Cloud, api: Api, screen: Screen, rows: Sequence[Row]) -> bool:
    """The sample: every source by its own way in, then a fix of the largest cluster."""
    people = GitHubPeople(cloud.addresses.github, cloud.credentials.person, REPOSITORY)
    people.create_repository(str(ROOT / "sample/repository"))
    api.ensure_project(PROJECT, "Larder", REPOSITORY)
    secret = cloud.credentials.webhook_secret
    sources = {
        kind: api.ensure_source(PROJECT, kind, secret(kind)) for kind in ("sentry", "standard")
    }
    # Polled too: what GitHub failed to send is fetched.
    github = api.ensure_source(
        PROJECT, "github", secret("github"), poll=True, repository=REPOSITORY
    )
    reddit = api.ensure_source(PROJECT, "reddit", subreddits=["larder"])

    by_source: dict[str, list[Row]] = {"github": [], "reddit": [], "": []}
    for row in moved(rows, _first_run(cloud.folder)):
        by_source[row["source"] if row["source"] in by_source else ""].append(row)
    issues, posts, others = by_source["github"], by_source["reddit"], by_source[""]
    screen.say(
        f"Sending {len(rows)} items of feedback: {len(others)} by webhook, "
        f"{len(issues)} as GitHub issues, {len(posts)} as Reddit posts."
    )
    tally, waiting = Tally(), Waiting(cloud, screen)
    before = api.stats(PROJECT)["stored"]
    _send(others, sources, tally, screen)
    people.open_issues(issues, people.ensure_webhook(github["webhook"], github["secret"]), tally)
    new = post_submissions(cloud.addresses.reddit, posts)
    # What was posted before was polled before, or is now.
    tally.answers[202] += min(new, api.poll().get(reddit["id"], 0))
    tally.earlier += len(posts) - new
    if not group(api, PROJECT, len(rows), before, tally, waiting, screen):
        return False
    return fix(cloud, api, people, PROJECT, screen)


def load_file(cloud: Cloud, api: Api, screen: Screen, rows: Sequence[Row], file: Path) -> bool:
    """Any file, into a project of its own: Sentry's and GitHub's rows as theirs, others as
    Standard Webhooks.
    """
    project = project_of(file)
    api.ensure_project(project, file.name[:100], "")
    secret = cloud.credentials.webhook_secret(project)
    named = {"standard", *(str(row.get("source")) for row in rows)}
    sources = {
        kind: api.ensure_source(project, kind, secret) for kind in senders.SENT if kind in named
    }
    screen.say(f"Sending {len(rows)} items of feedback to project {project}, by webhook.")
    tally, waiting = Tally(), Waiting(cloud, screen)
    before = api.stats(project)["stored"]
    _send(rows, sources, tally, screen)
    worked = group(api, project, len(rows), before, tally, waiting, screen)
    screen.say("\nNo fix: this feedback comes with no repository.")
    return worked


def project_of(file: Path) -> str:
    """The id of the project that a file's feedback goes to."""
    name = file.name.removesuffix(".gz").removesuffix(".jsonl").lower()
    project = re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:32].rstrip("-") or "file"
    return f"{PROJECT}-file" if project == PROJECT else project


def group(
    api: Api,
    project: str,
    sent: int,
    before: int,
    tally: Tally,
    waiting: Waiting,
    screen: Screen,
) -> bool:
    """Have it all clustered and report; whether nothing was lost and nothing doubled.

    ``before``: how many items the project had before.
    """
    for refused in tally.refused:
        screen.say(f"  not accepted: {refused}")

    def stored() -> tuple[str, dict[str, Any] | None]:
        stats = api.stats(project)
        done = stats["stored"] >= tally.accepted
        return f"stored {stats['stored']} of {tally.accepted}", stats if done else None

    waiting.until(stored)
    looks = api.grouping(project)["looks"]
    api.call("POST", "/clusters/rebalance", json={"project": project})

    def clustered() -> tuple[str, dict[str, Any] | None]:
        stats = api.stats(project)
        text = f"clustered {stats['clustered']} of {stats['stored']}"
        if stats["pending"]:
            return text, None
        # Clusters change once more when they are looked at together.
        grouping = api.grouping(project)
        done = grouping["looks"] > looks and grouping["since"] == 0
        return f"{text}, looking at clusters again", api.stats(project) if done else None

    stats = waiting.until(clustered)
    earlier = f"   {tally.earlier} of them in an earlier run" if tally.earlier else ""
    screen.say()
    screen.say(f"  sent       {sent:>6}")
    screen.say(f"  accepted   {tally.accepted:>6}{earlier}")
    screen.say(f"  stored     {stats['stored']:>6}")
    screen.say(f"  clustered  {stats['clustered']:>6}   in {stats['clusters']} clusters")
    _show_clusters(api, project, screen)
    stored_all = sent <= stats["stored"] <= before + sent
    return sent == tally.accepted and stored_all and stats["clustered"] == stats["stored"]


def _show_clusters(api: Api, project: str, screen: Screen) -> None:
    page = api.call(
        "GET", "/clusters", params={"project": project, "sort": "size", "limit": SHOWN_CLUSTERS}
    )
    kinds = sorted({kind for cluster in page["items"] for kind in cluster["sources"]})
    screen.say("\nThe largest clusters:")
    screen.say("  " + "  ".join(["size", *kinds, "name"]))
    for cluster in page["items"]:
        counts = [f"{cluster['sources'].get(kind) or '·':>{len(kind)}}" for kind in kinds]
        screen.say("  " + "  ".join([f"{cluster['size']:>4}", *counts, cluster["name"]]))


def _send(
    rows: Sequence[Row], sources: dict[str, dict[str, Any]], tally: Tally, screen: Screen
) -> None:
    def progress(done: int) -> None:
        screen.progress(f"sent {done} of {len(rows)}")

    senders.send_all(rows, sources, tally, progress)
    screen.clear()


def _first_run(folder: Path) -> datetime:
    """When the demo first ran in this folder; its feedback stays where it was put then."""
    file = folder / "demo.json"
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps({"first_run": datetime.now(UTC).isoformat()}))
        fresh.replace(file)
    return datetime.fromisoformat(json.loads(file.read_text())["first_run"])
