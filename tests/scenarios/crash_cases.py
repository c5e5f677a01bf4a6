"""Every handler with something to do, and how it is asked again when it did not get it done."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.rules.job import State as JobState
from soulcaster.rules.job import credential
from tests.support import seeds, state
from tests.support.state import State
from tests.support.world import World

MINUTE = 60_000
KNOWN = "After an import from CSV one line is missing"
# More alike than a look at the index gives: put there too early, they would hide what was known.
REPORTS = (
    *(f"Importing a CSV file loses the last line ({n})" for n in range(12)),
    "Dark mode is unreadable on the shopping page",
    "The shopping page can't be read in dark mode",
    "Please add a recipe for pancakes",
)


def nothing(world: World, done: bool) -> None:
    """No other recovery than the delivery."""
    del world, done


def whole(left: State) -> State:
    """All of the state has to be equal."""
    return left


@dataclass(frozen=True)
class Case:
    """``arrange`` returns the repository to look at, '' for none; ``deliver`` whether it was done.

    ``ends`` is the ``summary`` of what an undisturbed run leaves. ``recover`` is what the design
    has beside another delivery; it is told whether the last one was done. ``view`` is what has
    to be equal in the end.
    """

    name: str
    arrange: Callable[[World], str]
    deliver: Callable[[World], bool]
    ends: Mapping[str, int]
    recover: Callable[[World, bool], None] = nothing
    view: Callable[[State], State] = whole


def summary(left: State) -> dict[str, int]:
    """The counters, and how much there is of everything else."""
    counts: dict[str, str] = left.redis.get(f"p:{seeds.PROJECT}:counts", {})
    queues = {name: len(messages) for name, messages in left.queues.items()}
    others = {
        "vectors": sum(map(len, left.vectors.values())),
        "branches": len(left.branches),
        "pulls": len(left.pulls),
        "tasks": len(left.tasks),
    }
    counted = {name: int(n) for name, n in counts.items()}
    return {name: n for name, n in {**counted, **queues, **others}.items() if n}


def from_queue(queue: str) -> Callable[[World], bool]:
    """The consumer of a queue gets a batch, again for as long as there is one."""

    def deliver(world: World) -> bool:
        delivery = world.deliver(queue)
        return delivery is None or not (delivery.result.error or delivery.failed)

    return deliver


def drain_feedback(world: World, done: bool) -> None:
    """Duplicates in the queue are the store's to recognise."""
    del done
    world.drain("FeedbackQueue")


def reap_later(world: World, done: bool) -> None:
    """Whatever was lost for good, the reaper finds after some minutes."""
    del done
    result = world.tick("ReapFunction", ahead_ms=6 * MINUTE)
    assert result.error is None, result


def accept(world: World) -> str:
    """A webhook that is about to come."""
    seeds.project(world)
    return ""


def post_webhook(world: World) -> bool:
    """The sender's delivery, which it repeats after a 5xx."""
    body, headers = seeds.signed("sentry", {"id": "1", "title": "KeyError: 'unit'"})
    return world.request("POST", seeds.webhook("sentry"), body=body, headers=headers).status == 202


def accepted(world: World) -> str:
    """Three deliveries in the queue, one of them not verified yet."""
    seeds.project(world)
    world.send(
        "FeedbackQueue",
        seeds.delivery("sentry", {"id": "1", "title": "KeyError: 'unit'"}),
        seeds.delivery("standard", {"id": "2", "title": REPORTS[0]}),
        seeds.delivery("standard", {"id": "3", "title": REPORTS[-1]}, verified=False),
    )
    return ""


def polled(world: World) -> str:
    """A repository with an issue and a subreddit with a submission."""
    seeds.project(world, seeds.posts(world))
    return ""


def poll(world: World) -> bool:
    """The schedule's tick, which comes again in five minutes."""
    return world.tick("PollFunction").error is None


def pending(world: World) -> str:
    """Feedback that waits: for a cluster that is there, for one to be named, and for itself."""
    seeds.project(world)
    seeds.feedback(world, [KNOWN])
    assert world.tick("ClusterFunction").error is None
    # The index has come to show what was put there.
    state.redis(world, "DEL", "p:larder:recent", "p:larder:recent:vectors")
    seeds.feedback(world, REPORTS)
    world.kept["tick"] = world.scheduled("ClusterFunction")
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT}))
    return ""


def cluster_tick(world: World) -> bool:
    """One event of the schedule, which Lambda gives to the function again when that failed."""
    done = world.invoke("ClusterFunction", world.kept["tick"]).error is None
    if done:
        world.sqs.purge_queue(QueueUrl=world.stack.queues["ClusterQueue"].url)
    return done


def clustered(world: World) -> str:
    """A cluster that can be fixed."""
    seeds.project(world)
    world.kept["cluster"] = seeds.cluster(world)
    return ""


def ask_fix(world: World) -> bool:
    """A person's click, who clicks again after an error."""
    return world.api("POST", f"/clusters/{world.kept['cluster']}/fix").status in (200, 202)


def queued(world: World) -> str:
    """A job whose message is in the queue."""
    clustered(world)
    job = seeds.job(world, world.kept["cluster"], "queued")
    world.send("FixQueue", json.dumps({"job": job, "attempt": 1}))
    return ""


def starting(world: World) -> str:
    """A job whose task holds a ticket."""
    seeds.project(world, seeds.posts(world))
    world.kept["job"] = seeds.job(world, seeds.cluster(world), "starting")
    return ""


def claim(world: World, attempt: int = 1) -> bool:
    """The task's first call, with the ticket of its attempt."""
    ticket = credential(world.secrets["TicketKey"], "ticket", world.kept["job"], attempt)
    body = json.dumps({"ticket": ticket}).encode()
    headers = {"content-type": "application/json"}
    return world.request("POST", "/agent/claim", body=body, headers=headers).status == 200


def claim_by_next_attempt(world: World, done: bool) -> None:
    """A used ticket opens nothing: the task gives up, and the reaper starts another one."""
    if done:
        return
    result = world.tick("ReapFunction", ahead_ms=2 * MINUTE)
    assert result.payload == 1, result
    assert from_queue("FixQueue")(world)
    assert claim(world, 2)


def but_for_attempts(left: State) -> State:
    """All of the state, whichever attempt it was that got there."""
    stored = {key: value for key, value in left.redis.items() if not key.endswith(":history")}
    for key, value in stored.items():
        if ":job:" in key:
            stored[key] = {n: v for n, v in value.items() if n not in ("attempt", "reason")}
    return replace(left, redis=stored, tasks=[])


def running(world: World) -> str:
    """A job whose task is at work."""
    clustered(world)
    world.kept["job"] = seeds.job(world, world.kept["cluster"], "running")
    return ""


def finish(world: World) -> bool:
    """The task's last call, which it repeats until it is answered."""
    token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
    report = {"outcome": "patch", "summary": "Counted.", "patch_sha256": "0" * 64}
    body = json.dumps(report).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return world.request("POST", "/agent/finish", body=body, headers=headers).status == 202


def heartbeat(world: World) -> bool:
    """The task's sign of life, which it gives again and again."""
    token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return world.request("POST", "/agent/heartbeat", body=b"{}", headers=headers).status == 200


def publishing(world: World) -> str:
    """A patch that is to become a pull request."""
    repository = seeds.repository(world)
    seeds.project(world, repository)
    job = f"job_{seeds.PROJECT}_one"  # always the same, as it is in the commit
    patch = seeds.patch(world, repository, job)
    cluster = seeds.cluster(world)
    seeds.job(world, cluster, "publishing", identifier=job, title="Lines", patch_sha256=patch)
    world.send("PublishQueue", json.dumps({"job": job, "attempt": 1}))
    return repository


def observe(world: World) -> bool:
    """ECS's event that the task has ended, which EventBridge repeats."""
    detail = {
        "startedBy": f"{world.kept['job']}/1",
        "lastStatus": "STOPPED",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "agent", "exitCode": 137}],
        "version": 5,
    }
    return world.invoke("ObserveFunction", {"id": "1", "detail": detail}).error is None


def overdue(world: World) -> str:
    """A job for each way of being lost."""
    seeds.project(world)
    jobs, at = JobStore(seeds.redis(world)), now_ms() - 10 * MINUTE
    lost: tuple[tuple[str, JobState, int, dict[str, str]], ...] = (
        ("message", "queued", 1, {}),
        ("patch", "publishing", 1, {}),
        ("capacity", "starting", 1, {}),
        ("task", "starting", 1, {"task": "arn:of:a-task"}),
        ("heartbeat", "running", 1, {"task": "arn:of:a-task"}),
        ("last-attempt", "running", 3, {"task": "arn:of:a-task"}),
        ("deadline", "running", 1, {"task": "arn:of:a-task", "deadline": str(at)}),
    )
    for name, reached, attempt, fields in lost:
        cluster = seeds.cluster(world, [f"Problem of the {name}"])
        job = f"job_{seeds.PROJECT}_{name}"
        seeds.job(world, cluster, reached, identifier=job, attempt=attempt, at=at)
        jobs.touch(job, attempt, reached, at, fields)
    return ""


def reap(world: World) -> bool:
    """The schedule's tick, which comes again in a minute."""
    return world.tick("ReapFunction").error is None


ONE = {"stored": 1, "source:standard": 1, "clustered": 1, "clusters": 1, "vectors": 1}
ALL = {"stored": 16, "source:standard": 16, "clustered": 16, "clusters": 3, "vectors": 16}
OVERDUE = {"stored": 7, "source:standard": 7, "clustered": 7, "clusters": 7, "vectors": 7}
REAPED = {"job:queued": 3, "job:publishing": 1, "job:starting": 1}
ENDED = {"job:failed": 1, "job:timed_out": 1}
CASES = (
    Case("receive", accept, post_webhook, {"stored": 1, "source:sentry": 1}, drain_feedback),
    Case(
        "store",
        accepted,
        from_queue("FeedbackQueue"),
        {"stored": 3, "source:sentry": 1, "source:standard": 2},
    ),
    Case(
        "poll",
        polled,
        poll,
        {"stored": 2, "source:reddit": 1, "source:github": 1},
        drain_feedback,
    ),
    Case("cluster scheduled", pending, cluster_tick, ALL),
    Case("cluster requested", pending, from_queue("ClusterQueue"), ALL),
    Case("fix", clustered, ask_fix, {**ONE, "job:queued": 1, "FixQueue": 1}, reap_later),
    Case("dispatch", queued, from_queue("FixQueue"), {**ONE, "job:starting": 1, "tasks": 1}),
    Case(
        "claim",
        starting,
        claim,
        {**ONE, "job:running": 1},
        claim_by_next_attempt,
        but_for_attempts,
    ),
    Case("heartbeat", running, heartbeat, {**ONE, "job:running": 1}),
    Case("finish", running, finish, {**ONE, "job:publishing": 1, "PublishQueue": 1}),
    Case(
        "publish",
        publishing,
        from_queue("PublishQueue"),
        {**ONE, "job:pr_open": 1, "branches": 2, "pulls": 1},
    ),
    Case("observe", running, observe, {**ONE, "job:queued": 1, "FixQueue": 1}, reap_later),
    Case(
        "reap",
        overdue,
        reap,
        {**OVERDUE, **REAPED, **ENDED, "FixQueue": 4, "PublishQueue": 1},
        reap_later,
    ),
)
