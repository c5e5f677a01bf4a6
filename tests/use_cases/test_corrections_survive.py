"""What people have settled holds, whatever the machine does after that."""

from typing import ClassVar

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from soulcaster.edges.redis import Redis
from soulcaster.edges.vector import Vectors
from soulcaster.rules.correction import Conflict
from tests.edges.adds_up import snapshot
from tests.edges.servers import command
from tests.support.grouping import DECIDED, PROJECT, TOKEN, WIDTH, Working

TOPICS = st.integers(0, 3)


class Days(RuleBasedStateMachine):
    """Reports come, say something else, are clustered and looked at; people correct; the index is
    lost and made anew.
    """

    url: ClassVar[str]
    redis: ClassVar[Redis]
    index: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        command(self.url, "FLUSHALL")
        self._wipe()
        vectors = Vectors(self.index, TOKEN, "topics", WIDTH)
        self.working = Working(self.redis, vectors)
        self.live: list[str] = []
        self.settled: dict[str, str] = {}

    @initialize()
    def begin(self) -> None:
        """Some reports in clusters."""
        self.working.store(0, 0, 1, 1, 2, 2)
        self.working.cluster()

    @property
    def groups(self) -> dict[str, set[str]]:
        """The clusters that have items, and those."""
        return {c: items for c, items in self.working.groups().items() if c}

    # What comes in

    @rule(topics=st.lists(TOPICS, min_size=1, max_size=4), copies=st.booleans())
    def report(self, topics: list[int], copies: bool) -> None:
        """New reports, or such as say what others said."""
        self.working.store(*topics, say="again" if copies else "")

    @rule(number=st.integers(0, 3), topic=TOPICS, say=st.sampled_from(["", "again"]))
    def edit(self, number: int, topic: int, say: str) -> None:
        """A report says something else now."""
        self.working.store(topic, again=f"edited-{number}", say=say)

    # What the machine does

    @rule()
    def cluster(self) -> None:
        """A batch."""
        self.working.cluster()

    @rule()
    def look(self) -> None:
        """A look at all of it."""
        self.working.look()

    @rule(again=st.booleans())
    def lose_the_index(self, again: bool) -> None:
        """All vectors are gone, and perhaps made anew."""
        self._wipe()
        if again:
            self.working.reindex()

    def _wipe(self) -> None:
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx.post(f"{self.index}/reset?all", headers=headers).raise_for_status()

    # What people do

    def _settled(self, correction: str, *clusters: str) -> None:
        self.live.append(correction)
        self.settled = {
            item: cluster
            for cluster, items in self.groups.items()
            for item in items
            if item in self.settled or cluster in clusters
        }

    @precondition(lambda self: len(self.groups) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        """Two clusters."""
        two = st.lists(st.sampled_from(sorted(self.groups)), min_size=2, max_size=2, unique=True)
        into, other = data.draw(two)
        done = self.working.people.merge(PROJECT, into, [other], DECIDED).correction
        self._settled(done["id"], into)

    @precondition(lambda self: any(len(items) > 1 for items in self.groups.values()))
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        """An item into a cluster of its own."""
        large = {c: items for c, items in self.groups.items() if len(items) > 1}
        cluster = data.draw(st.sampled_from(sorted(large)))
        item = data.draw(st.sampled_from(sorted(large[cluster])))
        done = self.working.people.split(PROJECT, cluster, [item], DECIDED).correction
        self._settled(done["id"], cluster, done["into"])

    @precondition(lambda self: len(self.groups) > 1)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """An item to another cluster."""
        groups = self.groups
        cluster = data.draw(st.sampled_from(sorted(groups)))
        item = data.draw(st.sampled_from(sorted(groups[cluster])))
        to = data.draw(st.sampled_from(sorted(groups.keys() - {cluster})))
        done = self.working.people.move(PROJECT, cluster, item, to, DECIDED).correction
        self._settled(done["id"], cluster, to)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """Any correction; what no other holds is free again."""
        one = data.draw(st.sampled_from(self.live))
        self.live.remove(one)
        try:
            self.working.people.undo(one, DECIDED)
        except Conflict:
            return
        held = snapshot(self.url)
        self.settled = {
            item: held[f"fb:{item}"]["cluster"]
            for item in self.settled
            if held[f"fb:{item}"].get("pins")
        }

    @invariant()
    def holds(self) -> None:
        """Who was settled is where people left them; every cluster is what its items add up to."""
        held = snapshot(self.url)
        where = {item: held[f"fb:{item}"].get("cluster") for item in held.get("fbs", {})}
        assert {item: where[item] for item in self.settled} == self.settled
        items = {c for c in where.values() if c}
        for cluster in items:
            mine = {item for item, c in where.items() if c == cluster}
            assert set(held[f"cl:{cluster}:items"]) == mine
            free = {item for item in mine if "rides" not in held[f"fb:{item}"]}
            assert set(held.get(f"cl:{cluster}:points", {})) == free
        assert set(held.get("cls", {})) == items
        waits = set(held.get("pending", {}))
        assert {item for item, c in where.items() if not c} <= waits


def test_what_people_settled_holds_through_batches_looks_and_a_lost_index(
    redis_url: str, redis: Redis, index: str
) -> None:
    """No item that a live correction holds is ever moved by anything else."""
    Days.url, Days.redis, Days.index = redis_url, redis, index
    run_state_machine_as_test(
        Days,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
