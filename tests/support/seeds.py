"""What a scenario starts from, put straight into the stores by the product's own edges."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np

from local.demo import senders
from local.parameters import DIMENSIONS, EMBEDDING_MODEL
from soulcaster.edges.clock import now_ms
from soulcaster.edges.cluster_store import ClusterStore, Decided, Named
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.vector import Vectors
from soulcaster.rules import ids
from soulcaster.rules.day import day_of
from soulcaster.rules.delivery import Delivery, kept
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.grouping.marks import packed
from soulcaster.rules.job import PATIENCE, State
from soulcaster.rules.project import Project
from soulcaster.rules.source import Source
from tests.support import sources, state
from tests.support.world import World

PROJECT, REPOSITORY, SUBREDDIT = "larder", "acme/larder", "larder"
THEN = 1_780_000_000_000  # a moment long past, so that nothing depends on when a test runs
SECRETS = {"sentry": "s" * 64, "standard": "whsec_" + "c2VjcmV0" * 4, "github": "g" * 64}
_MANY = 1_000  # jobs; no scenario seeds as many
# Where a project does not say otherwise.
_LIMITS = {
    "dollars_per_job": 5.0,
    "minutes_per_job": 30,
    "jobs_per_day": _MANY,
    "dollars_per_day": 5.0 * _MANY,
}
_PATH: dict[State, tuple[State, ...]] = {
    "queued": (),
    "starting": ("starting",),
    "running": ("starting", "running"),
    "proving": ("starting", "running", "proving"),
    "publishing": ("starting", "running", "proving", "publishing"),
}


def redis(world: World) -> Redis:
    """The product's own client, past the wire."""
    client: Redis | None = world.kept.get("redis")
    if client is None:
        client = world.kept["redis"] = Redis(world.direct.redis, world.credentials.redis)
    return client


def vectors(world: World) -> Vectors:
    """The product's own client of the index, past the wire."""
    client: Vectors | None = world.kept.get("vectors")
    if client is None:
        client = world.kept["vectors"] = Vectors(
            world.direct.vector, world.credentials.vector, EMBEDDING_MODEL, DIMENSIONS
        )
    return client


def project(world: World, repository: str = REPOSITORY) -> None:
    """The project with a source of every kind; Reddit and GitHub are polled.

    What limits its jobs is the installation alone.
    """
    projects = ProjectStore(redis(world))
    projects.put(
        Project(
            id=PROJECT,
            name="Larder",
            repository=repository,
            jobs_at_once=_MANY,
            jobs_per_day=_MANY,
            dollars_per_day=5.0 * _MANY,
        ),
        new=True,
    )
    configs: dict[str, dict[str, Any]] = {
        "reddit": {"subreddits": [SUBREDDIT]},
        "github": {"poll": True, "repository": repository},
    }
    for kind in ("sentry", "standard", "github", "reddit"):
        secrets = (SECRETS[kind],) if kind in SECRETS else ()
        identifier = ids.source_id(PROJECT, kind)
        config = configs.get(kind, {})
        made = Source(
            id=identifier,
            project=PROJECT,
            kind=kind,
            name=kind,
            secrets=secrets,
            config=config,
            per_minute=100_000,
        )
        sources.put(redis(world), made)


def webhook(kind: str) -> str:
    """The path that the project's source of a kind sends to."""
    return f"/webhooks/{PROJECT}/{ids.source_id(PROJECT, kind)}"


def feedback(world: World, titles: Sequence[str], *, project: str = PROJECT) -> list[str]:
    """Store an item for each title, pending; returns their ids."""
    items = [
        Feedback(
            project=project,
            source="standard",
            source_id=ids.source_id(project, "standard"),
            channel="email",
            external_id=title,
            title=title,
            body="",
            author=None,
            url=None,
            severity=None,
            occurrences=1,
            created_at=THEN + number,
            received_at=THEN + number,
            version=THEN,
        )
        for number, title in enumerate(titles)
    ]
    FeedbackStore(redis(world)).store(project, [(item, "") for item in items])
    return [item.id for item in items]


def cluster(world: World, titles: Sequence[str] = ("Import loses the last line",)) -> str:
    """A named cluster of an item for each title, without asking any model; returns its id."""
    founder, *_ = members = feedback(world, titles)
    found = ids.cluster_id(PROJECT, founder)
    clusters = ClusterStore(redis(world))
    claim = clusters.claim(PROJECT, "seed", 60_000, 500, THEN)
    assert claim is not None
    vectors(world).put(PROJECT, members, np.eye(len(members), DIMENSIONS, dtype=np.float32))
    mark = packed(np.eye(1, 512, dtype=np.float32)[0])
    assigned = [Decided(i.id, i.text_hash, found, "{}", marks=mark) for i in claim.items]
    name = Named(found, titles[0], "Something is lost.", len(members), "model")
    clusters.commit(claim, assigned, [name], [], THEN, THEN)
    return found


def apart(world: World, titles: Sequence[str]) -> None:
    """An item for each title in a cluster of its own, far from all others."""
    feedback(world, titles)
    clusters, random = ClusterStore(redis(world)), np.random.default_rng(7)
    while claim := clusters.claim(PROJECT, "seed", 60_000, 500, THEN):
        rows = random.normal(size=(len(claim.items), DIMENSIONS))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        vectors(world).put(PROJECT, [item.id for item in claim.items], rows.astype(np.float32))
        decided, names = [], []
        for item, row in zip(claim.items, random.normal(size=(len(rows), 512)), strict=True):
            found, marks = ids.cluster_id(PROJECT, item.id), packed(row.astype(np.float32))
            decided.append(Decided(item.id, item.text_hash, found, "{}", marks=marks))
            names.append(Named(found, item.title, "", 1, "title"))
        clusters.commit(claim, decided, names, [], THEN, THEN)


def job_id(world: World) -> str:
    """A new job's id, which no task of an earlier scenario is called after."""
    return f"job_{PROJECT}_{next(world.numbers):020x}"


def job(
    world: World,
    cluster: str,
    state: State,
    *,
    identifier: str = "",
    attempt: int = 1,
    at: int = THEN,
    **fields: str,
) -> str:
    """A job of ``cluster`` in ``state``, which it came into at ``at`` with ``fields``.

    There is a slot for it whatever the installation's limit; its deadline, if none is given,
    is half an hour away.
    """
    jobs, identifier = JobStore(redis(world), _MANY), identifier or job_id(world)
    asked = (PROJECT, cluster, identifier, at, at + PATIENCE["queued"], "a test")
    outcome, *_ = redis(world).run("job_ask", *asked, day_of(at), 0, 0, json.dumps(_LIMITS))
    assert outcome == "created"
    for number in range(1, attempt):
        for step in ("starting", "queued"):
            assert jobs.move(identifier, number, step, at, "seed").outcome == "moved"
    for step in _PATH[state]:
        if step == "running":
            fields.setdefault("deadline", str(now_ms() + 30 * 60_000))
        assert jobs.move(identifier, attempt, step, at, "seed", fields).outcome == "moved"
    return identifier


def repository(world: World) -> str:
    """A repository that no scenario has used; the first commit of all of them is the same."""
    full_name = f"acme/larder-{next(world.numbers)}"
    folder = world.folder / "repository"
    if not folder.exists():
        folder.mkdir()
        (folder / "README.md").write_text("# Larder\n\nKeeps food.\n")
        (folder / "larder.py").write_text("def shelves():\n    return 2\n")
    body = {"full_name": full_name, "path": str(folder)}
    state.github(world, "POST", "/_local/repositories", json=body)
    return full_name


def patch(world: World, full_name: str, job: str, attempt: int = 1) -> str:
    """Upload what the task of an attempt would: a change of one file; returns its SHA-256."""
    main = state.github(world, "GET", f"/repos/{full_name}/git/ref/heads/main")
    file = {"path": "larder.py", "mode": "100644", "content": "def shelves():\n    return 3\n"}
    whole = {
        "base": main["object"]["sha"],
        "summary": "Counted.",
        "diff": "",
        "files": [{**file, "deleted": False, "binary": False}],
    }
    body, bucket = json.dumps(whole).encode(), world.stack.buckets[0].name
    world.s3.put_object(Bucket=bucket, Key=f"jobs/{job}/{attempt}/patch", Body=body)
    return sha256(body).hexdigest()


def posts(world: World) -> str:
    """A repository with an issue, and a submission on Reddit; both an hour old, and kept."""
    full_name: str = world.kept.get("posts", "")
    if full_name:
        return full_name
    full_name = world.kept["posts"] = repository(world)
    ago = time.time() - 3600
    created = datetime.fromtimestamp(ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    issue = {"repo": full_name, "user": "ada", "title": "Sorting is wrong", "body": "By date."}
    state.github(world, "POST", "/_local/issues", json={**issue, "created_at": created})
    submission = {
        "id": "abc123",
        "subreddit": SUBREDDIT,
        "title": "The pantry is empty after an update",
        "selftext": "All gone.",
        "author": "grace",
        "created_utc": ago,
    }
    address = f"{world.direct.reddit}/_local/submissions"
    world.http.post(address, json=submission).raise_for_status()
    return full_name


def delivery(kind: str, row: Mapping[str, Any], *, verified: bool = True) -> str:
    """The queue message of a webhook that was (not) verified on arrival."""
    body, headers = signed(kind, row)
    identifier = ids.source_id(PROJECT, kind)
    source = Source(id=identifier, project=PROJECT, kind=kind, name=kind)
    return Delivery(
        project=PROJECT,
        source_id=identifier,
        source=source if verified else None,
        headers=kept(headers),
        body=body,
        received_at=now_ms(),
    ).message()


def signed(kind: str, row: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A row as the project's source of a kind (sentry, standard) sends it: body and headers."""
    sender = {"sentry": senders.sentry, "standard": senders.standard}[kind]
    given = {"source": "email", "created_at": "2026-11-01T10:00:00Z", **row}
    return sender(given, SECRETS[kind])
