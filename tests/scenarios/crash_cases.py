"""Every handler with something to do, and how it is asked again when it did not get it done."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from soulcaster.edges.clock import now_ms
from soulcaster.edges.job_store import JobStore
from soulcaster.rules.job import credential
from tests.support import seeds
from tests.support.state import State
from tests.support.world import World

MINUTE = 60_000
REPORTS = (
    "Importing a CSV file loses the last line",
    "The last line of my CSV file is lost by the import",
    "CSV import drops the last row of the file",
    "Dark mode is unreadable on the shopping page",
    "The shopping page can't be read in dark mode",
    "Please add a recipe for pancakes",
)


def nothing(world: World, done: bool) -> None:
    """No other recovery than the delivery."""
    del world, done


def whole(state: State) -> Any:
    """All of the state has to be equal."""
    return state


@dataclass(frozen=True)
class Case:
    """``arrange`` returns the repository to look at, '' for none; ``deliver`` whether it was done.

    ``recover`` is what the design has beside another delivery; it is told whether the last one
    was done. ``view`` is what has to be equal in the end.
    """

    name: str
    arrange: Callable[[World], str]
    deliver: Callable[[World], bool]
    recover: Callable[[World, bool], None] = nothing
    view: Callable[[State], Any] = field(default=whole)


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
        seeds.delivery("standard", {"id": "3", "title": REPORTS[3]}, verified=False),
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
    """Feedback that waits for its clusters: two with names to be made, and one alone."""
    seeds.project(world)
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


def but_for_attempts(state: State) -> Any:
    """All of the state, whichever attempt it was that got there."""
    stored = {key: value for key, value in state.redis.items() if not key.endswith(":history")}
    for key, value in stored.items():
        if ":job:" in key:
            stored[key] = {n: v for n, v in value.items() if n not in ("attempt", "reason")}
    return replace(state, redis=stored, tasks=[])


def running(world: World) -> str:
    """A job whose task is at work."""
    clustered(world)
    world.kept["job"] = seeds.job(world, world.kept["cluster"], "running")
    return ""


def finish(world: World) -> bool:
    """The task's last call, which it repeats until it is answered."""
    token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
    body = json.dumps({"outcome": "patch", "summary": "Counted."}).encode()
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
    # A name of its own would make a commit of its own.
    job = seeds.job(world, seeds.cluster(world), "publishing", name="one")
    seeds.patch(world, repository, job)
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
    lost = (
        ("message", "queued", 1),
        ("patch", "publishing", 1),
        ("task", "starting", 1),
        ("heartbeat", "running", 1),
        ("last-attempt", "running", 3),
        ("deadline", "running", 1),
    )
    for name, state, attempt in lost:
        cluster = seeds.cluster(world, [f"Problem of the {name}"])
        job = seeds.job(world, cluster, state, name=name, attempt=attempt, at=at)  # type: ignore[arg-type]
        if state in ("starting", "running"):
            late = {"deadline": str(at)} if name == "deadline" else {}
            jobs.touch(job, attempt, state, at, {"task": f"arn:of:{name}", **late})  # type: ignore[arg-type]
    return ""


def reap(world: World) -> bool:
    """The schedule's tick, which comes again in a minute."""
    return world.tick("ReapFunction").error is None


CASES = (
    Case("receive", accept, post_webhook, drain_feedback),
    Case("store", accepted, from_queue("FeedbackQueue")),
    Case("poll", polled, poll, drain_feedback),
    Case("cluster scheduled", pending, cluster_tick),
    Case("cluster requested", pending, from_queue("ClusterQueue")),
    Case("fix", clustered, ask_fix, reap_later),
    Case("dispatch", queued, from_queue("FixQueue")),
    Case("claim", starting, claim, claim_by_next_attempt, but_for_attempts),
    Case("heartbeat", running, heartbeat),
    Case("finish", running, finish),
    Case("publish", publishing, from_queue("PublishQueue")),
    Case("observe", running, observe, reap_later),
    Case("reap", overdue, reap, reap_later),
)
