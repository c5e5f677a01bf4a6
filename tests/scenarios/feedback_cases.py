"""The handlers that feedback passes through, from a webhook to its cluster."""

import json
from typing import Any

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.rules.readings import Withdrawn
from tests.scenarios.case import Case, from_queue
from tests.scenarios.payloads import comment, deleted, github, message, transferred
from tests.support import seeds, state
from tests.support.world import World

KNOWN = "After an import from CSV one line is missing"
# More alike than a look at the index gives: put there too early, they would hide what was known.
REPORTS = (
    *(f"Importing a CSV file loses the last line ({n})" for n in range(12)),
    "Dark mode is unreadable on the shopping page",
    "The shopping page can't be read in dark mode",
    "Please add a recipe for pancakes",
)


def drain_feedback(world: World, done: bool) -> None:
    """Duplicates in the queue are the store's to recognise."""
    del done
    world.drain("FeedbackQueue")


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


def spoken(world: World) -> str:
    """What became of issues that are known or not: comments, a transfer and a deletion."""
    seeds.project(world)
    it: dict[str, Any] = {"closed": False, "title": REPORTS[0]}
    known = [message(github(number, 0, **it), seeds.THEN) for number in (1, 2, 3)]
    world.send("FeedbackQueue", *known)
    world.drain("FeedbackQueue")
    told = (comment(1, 1, **it), transferred(2, 1, **it), deleted(3, 1, **it), deleted(4, 1, **it))
    world.send("FeedbackQueue", *(message(one, seeds.THEN + 1) for one in told))
    return ""


def withdrawn(world: World) -> str:
    """An item that is to leave its cluster and the index, and nothing that is pending."""
    pending(world)
    assert world.tick("ClusterFunction").error is None
    item, *_ = state.records(world, "fb")
    gone = Withdrawn(project=seeds.PROJECT, about=item, received_at=seeds.THEN)
    FeedbackStore(seeds.redis(world)).store(seeds.PROJECT, [(gone, "")])
    world.kept["tick"] = world.scheduled("ClusterFunction")
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
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT, "look": True}))
    return ""


def cluster_tick(world: World) -> bool:
    """One event of the schedule, which Lambda gives to the function again when that failed."""
    done = world.invoke("ClusterFunction", world.kept["tick"]).error is None
    if done:
        world.sqs.purge_queue(QueueUrl=world.stack.queues["ClusterQueue"].url)
    return done


ALL = {"stored": 16, "source:standard": 16, "clustered": 16, "clusters": 3, "vectors": 16}
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
    Case(
        "store what is said",
        spoken,
        from_queue("FeedbackQueue"),
        {"stored": 2, "source:github": 2},
    ),
    Case(
        "forget",
        withdrawn,
        cluster_tick,
        {name: n - (name != "clusters") for name, n in ALL.items()},
    ),
)
