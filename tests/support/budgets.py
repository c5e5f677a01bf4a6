"""What each step may ask of the outside, and what it does ask."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from soulcaster.edges.clock import now_ms
from soulcaster.rules.job import credential
from tests.support import seeds, state
from tests.support.tap import Call
from tests.support.world import World

SYSTEMS = ("redis", "vector", "gemini", "sqs")
TOPICS = (
    "The import loses the last line of a file",
    "Dark mode can't be read on the shopping page",
    "A recipe for pancakes, please",
    "Sorting the pantry by date is wrong",
    "The app crashes when a photo is uploaded",
)


@dataclass(frozen=True)
class Row:
    """Requests of one step over ``n`` things, by system; ``other`` are those the table lacks."""

    step: str
    n: int
    used: Mapping[str, int]
    other: tuple[str, ...]
    budget: Mapping[str, int]

    @property
    def over(self) -> dict[str, int]:
        """What was used beyond the budget."""
        return {name: n for name, n in self.used.items() if n > self.budget[name]}

    def line(self) -> str:
        """As JSON on one line."""
        return json.dumps({"step": self.step, "n": self.n, **self.used, "budget": self.budget})


@dataclass(frozen=True)
class Step:
    """``prepare`` makes ``n`` things to work on, ``run`` is what is counted.

    ``budget`` is asked when all is done, as some of it depends on what there was to do.
    """

    name: str
    prepare: Callable[[World, int], None]
    run: Callable[[World], None]
    budget: Callable[[World, int], dict[str, int]]
    sizes: tuple[int, ...] = (1,)


def measured(world: World, step: Step, n: int) -> Row:
    """What ``step`` uses in an instance that is warm: that has done the same before."""
    for size in (1, n):
        state.clear(world)
        step.prepare(world, size)
        with world.tap.recording() as calls:
            step.run(world)
    return row(step.name, n, calls, step.budget(world, n))


def row(name: str, n: int, calls: list[Call], budget: Mapping[str, int]) -> Row:
    """What ``calls`` come to; a system that ``budget`` leaves out may not be asked."""
    others = tuple(str(call) for call in calls if call.system not in SYSTEMS)
    return Row(name, n, count(calls), others, {**dict.fromkeys(SYSTEMS, 0), **budget})


def count(calls: list[Call]) -> dict[str, int]:
    """How many calls went to each system of the table."""
    counted = Counter(call.system for call in calls)
    return {system: counted[system] for system in SYSTEMS}


def titles(n: int) -> list[str]:
    """``n`` different short reports about a few things."""
    return [f"{TOPICS[number % len(TOPICS)]} ({number})" for number in range(n)]


def fixed(**budget: int) -> Callable[[World, int], dict[str, int]]:
    """A budget that depends on nothing."""
    return lambda world, n: budget


def clustering(world: World, n: int) -> dict[str, int]:
    """One call for a hundred texts, and one for each cluster whose name was due.

    All clusters are new; one of a single item has that item's title.
    """
    due = sum(int(one["source:standard"]) > 1 for one in state.records(world, "cl").values())
    return {"redis": 3, "vector": 3, "gemini": math.ceil(n / 100) + due}


def scheduled(world: World, n: int) -> dict[str, int]:
    """The schedule also asks, once each, which looks are due and which ratings have become old."""
    budget = clustering(world, n)
    return {**budget, "redis": budget["redis"] + 2}


def copying(world: World, n: int) -> dict[str, int]:
    """Neither an embedding nor the index, but a name for the cluster when it has doubled."""
    del world, n
    return {"redis": 3, "gemini": 1}


def looking(world: World, n: int) -> dict[str, int]:
    """A page for a thousand items, a claim and a commit, after the claim that finds none pending.

    One naming call for each cluster that is called anew; all had their titles before.
    """
    due = sum(one["named_by"] == "model" for one in state.records(world, "cl").values())
    pages = math.ceil(n / 1000)
    return {"redis": 1 + pages + 2, "vector": pages, "gemini": due}


def with_project(world: World, n: int) -> None:
    """A project, and nothing in it."""
    del n
    seeds.project(world)


def with_deliveries(world: World, n: int) -> None:
    """Deliveries in the queue."""
    seeds.project(world)
    rows = [{"id": number, "title": title} for number, title in enumerate(titles(n))]
    world.send("FeedbackQueue", *(seeds.delivery("standard", row) for row in rows))


def with_pending(world: World, n: int) -> None:
    """Feedback to be clustered, too little for a second look, and the request to do so."""
    seeds.project(world)
    state.redis(world, "HSET", f"p:{seeds.PROJECT}:look", "looked_total", 10**6)
    seeds.feedback(world, titles(n))
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT}))


def with_copies(world: World, n: int) -> None:
    """An item in a cluster, others that say the same, and the request to cluster them."""
    with_pending(world, 1)
    consume("ClusterQueue")(world)
    (title,) = titles(1)
    seeds.feedback(world, [f"{title}{'!' * (number + 1)}" for number in range(n)])
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT}))


def with_looked_at(world: World, n: int) -> None:
    """Items in clusters of their own, and the request to look at them all again."""
    seeds.project(world)
    seeds.apart(world, titles(n))
    world.send("ClusterQueue", json.dumps({"project": seeds.PROJECT, "look": True}))


def with_clusters(world: World, n: int) -> None:
    """Clusters of three items, the first with a job, and one more that nobody fixes."""
    seeds.project(world)
    for number in range(n + 1):
        cluster = seeds.cluster(world, [f"Report {number}.{item}" for item in range(3)])
        if number == 0:
            deadline = str(now_ms() + 60_000)
            world.kept["job"] = seeds.job(world, cluster, "running", deadline=deadline)
        world.kept["cluster"] = cluster


def post_webhook(world: World) -> None:
    """A source sends one delivery."""
    body, headers = seeds.signed("standard", {"id": "1", "title": "It is slow"})
    path = seeds.webhook("standard")
    assert world.request("POST", path, body=body, headers=headers).status == 202


def consume(queue: str) -> Callable[[World], None]:
    """The queue's consumer gets one batch and gets it done."""

    def run(world: World) -> None:
        delivery = world.deliver(queue)
        assert delivery is not None
        assert not delivery.result.error
        assert not delivery.failed, delivery.result

    return run


def tick(world: World) -> None:
    """The schedule clusters whatever is pending."""
    result = world.tick("ClusterFunction")
    assert result.error is None, result


def page(path: str) -> Callable[[World], None]:
    """The first page of a list."""

    def run(world: World) -> None:
        assert world.made("GET", path)

    return run


def next_page(path: str) -> Callable[[World], None]:
    """The page after the first one."""

    def run(world: World) -> None:
        cursor = world.kept.pop("cursor")
        assert world.made("GET", f"{path}&cursor={cursor}")["items"]

    return run


def with_cursor(path: str) -> Callable[[World, int], None]:
    """Clusters, and the place where the first page of a list of them ends."""

    def prepare(world: World, n: int) -> None:
        with_clusters(world, n)
        world.kept["cursor"] = world.made("GET", path)["next_cursor"]

    return prepare


def read_cluster(world: World) -> None:
    """A cluster with its feedback and jobs."""
    found = world.made("GET", f"/clusters/{world.kept['cluster']}")
    assert len(found["feedback"]) == 3


def ask_fix(world: World) -> None:
    """A click on a cluster that nobody fixes."""
    assert world.api("POST", f"/clusters/{world.kept['cluster']}/fix").status == 202


def heartbeat(world: World) -> None:
    """A sign of life, with what was spent, what more is wanted and what was written."""
    token = credential(world.secrets["TicketKey"], "callback", world.kept["job"], 1)
    report = {
        "spent": {"dollars": 0.4, "read": 100, "written": 10, "calls": 1},
        "wants": 1.0,
        "log": {"from": 0, "entries": ["It reads.", "It writes."]},
    }
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    body = json.dumps(report).encode()
    answer = world.request("POST", "/agent/heartbeat", body=body, headers=headers)
    assert json.loads(answer.body) == {"granted": 1.0, "log": 2}


def search(world: World) -> None:
    """A search by words and by meaning."""
    found = world.made("GET", f"/search?project={seeds.PROJECT}&q=report")
    assert found["meaning"]
    assert found["feedback"]


def change_status(world: World) -> None:
    """A person says that a cluster is resolved."""
    path = f"/clusters/{world.kept['cluster']}"
    assert world.api("PATCH", path, {"status": "resolved"}).status == 200


_P = f"project={seeds.PROJECT}"
LISTS = ("/projects", f"/sources?{_P}", f"/jobs?{_P}")
LONG_LISTS = (
    f"/feedback?{_P}&limit=1",
    f"/clusters?{_P}&limit=1&sort=impact",
    f"/clusters?{_P}&limit=1&sort=size",
    f"/clusters?{_P}&limit=1&sort=recent",
)
PAGE = fixed(redis=1)
STEPS = (
    Step("accept a webhook", with_project, post_webhook, fixed(sqs=1)),
    Step("store a batch", with_deliveries, consume("FeedbackQueue"), fixed(redis=1), (1, 10)),
    Step("cluster by request", with_pending, consume("ClusterQueue"), clustering, (1, 100, 500)),
    Step("cluster by schedule", with_pending, tick, scheduled, (1, 100)),
    Step("cluster copies", with_copies, consume("ClusterQueue"), copying, (1, 100)),
    Step("look again", with_looked_at, consume("ClusterQueue"), looking, (1, 100, 1001)),
    *(
        Step(f"first page of {path}", with_clusters, page(path), PAGE)
        for path in (*LISTS, *LONG_LISTS)
    ),
    *(
        Step(f"next page of {path}", with_cursor(path), next_page(path), PAGE)
        for path in LONG_LISTS
    ),
    Step("a cluster with feedback and jobs", with_clusters, read_cluster, fixed(redis=2)),
    Step("search", with_clusters, search, fixed(redis=2, vector=1, gemini=1)),
    Step("resolve a cluster", with_clusters, change_status, fixed(redis=1)),
    Step("a project's trend", with_clusters, page(f"/projects/{seeds.PROJECT}/trend"), PAGE),
    Step("ask for a fix", with_clusters, ask_fix, fixed(redis=1, sqs=1)),
    Step("a task's heartbeat", with_clusters, heartbeat, fixed(redis=1)),
)


def rows(world: World) -> Iterator[Row]:
    """Every step at every size."""
    for step in STEPS:
        for n in step.sizes:
            yield measured(world, step, n)
