"""Whatever people and the machine do, in whatever order: items are where the corrections say."""

from collections.abc import Callable
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from soulcaster.edges.cluster_store import ClusterStore, Decided
from soulcaster.edges.correction_store import Corrected, CorrectionStore
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.look_store import LookStore, Moved
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules import ids
from soulcaster.rules.correction import Conflict, Decision
from soulcaster.rules.project import Project
from tests.edges.adds_up import (
    clusters_are_what_their_items_add_up_to,
    items_are_where_the_corrections_say,
    settled,
    snapshot,
    the_project_is_what_its_items_add_up_to,
)
from tests.edges.clusters import LEASE_MS, claimed, stored
from tests.edges.lua import call
from tests.edges.reference import Job, Made
from tests.edges.servers import command
from tests.edges.sources_speak import SourcesSpeak
from tests.rules.samples import NOW, feedback

SOURCES = ("github", "reddit", "sentry", "standard")


class Corrections(SourcesSpeak):
    """People correct while the machine works and sources speak; between look and write, too."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        command(self.url, "FLUSHALL")
        self.clusters = ClusterStore(self.redis)
        self.looks = LookStore(self.redis)
        self.corrections = CorrectionStore(self.redis)
        self.jobs = JobStore(self.redis)
        self.moves: list[Moved] = []
        self.stored = 0
        assert ProjectStore(self.redis).put(
            Project(id="larder", name="Larder", repository="acme/larder"), new=True
        )

    @initialize()
    def begin(self) -> None:
        """Clusters of one to three items; the first of a cluster carries the second along, and each
        had a job. On the smallest one works now.
        """
        for size in (1, 1, 2, 2, 3, 3):
            items = self._store(size)
            cluster = ids.cluster_id("larder", items[0])
            self._look(dict.fromkeys(items, cluster), [])
            self.write()
            for rider in items[1:2]:
                self._ride(rider, items[0])
            self._ask(cluster)
            if size > 1:
                self._end(self.model.jobs[-1])

    # The machine

    def _store(self, n: int) -> list[str]:
        found = []
        for _ in range(n):
            self.stored += 1
            item = feedback(
                external_id=str(self.stored),
                source=SOURCES[self.stored % 4],
                author=(None, "ada", "bob")[self.stored % 3],
                severity=(None, "error", "info")[self.stored // 3 % 3],
                occurrences=1 + self.stored % 5,
                created_at=NOW - self.stored % 4 * 86_400_000,
            )
            stored(self.redis, item)
            found.append(item.id)
        return found

    def _ride(self, rider: str, on: str) -> None:
        self.model.riders[rider] = on
        body = "ride('p:larder:', cjson.decode(ARGV[1]), cjson.decode(ARGV[2]))"
        call(self.url, "riders", body, rider, on)

    def _look(self, assigned: dict[str, str], moves: list[Moved]) -> None:
        self.claim = claimed(self.redis)
        hashes = {item.id: item.text_hash for item in self.claim.items}
        self.decided = [Decided(i, hashes[i], c, "{}") for i, c in assigned.items()]
        self.moves = moves

    @precondition(lambda self: self.claim is None)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """New items come; the machine decides about them and thinks better of others."""
        known = sorted(self.model.known)
        before = sorted(self.model.homes)
        items = self._store(data.draw(st.integers(1, 2)))
        for item in items:
            if data.draw(st.booleans()):
                self._ride(item, data.draw(st.sampled_from(before)))
        into = st.sampled_from([*known, ids.cluster_id("larder", items[0])])
        moves = []
        free = [item for item in before if not self.model.pins(item)]
        some = st.sampled_from([*free * 4, *before])
        for item in data.draw(st.lists(some, min_size=2, max_size=4, unique=True)):
            left = data.draw(st.sampled_from([self.model.where(item)] * 9 + known))
            moves.append(Moved(item, left, data.draw(into), "{}", "{}"))
        self._look({item: data.draw(into) for item in items}, moves)

    @precondition(lambda self: self.claim is not None)
    @rule()
    def write(self) -> None:
        """What it decided is written; nothing that people settled changes."""
        assert self.claim is not None
        held = {i: self.model.where(i) for i in self.model.homes if self.model.pins(i)}
        self.clusters.commit(self.claim, self.decided, [], [], NOW, NOW, forgotten=self.claim.gone)
        look = self.looks.claim("larder", f"look-{self.stored}", LEASE_MS, NOW, asked=True)
        assert look is not None
        self.looks.commit(look, self.moves, [], [], "", NOW)
        for one in self.decided:
            if one.id not in self.withdrawn:
                self.model.arrive(one.id, one.cluster)
        for move in self.moves:
            if move.id not in self.withdrawn:
                self.model.rehome(move.id, move.origin, move.cluster)
        self.claim = None
        now = snapshot(self.url)
        assert {i: now[f"fb:{i}"]["cluster"] for i in held} == held

    # People

    def _correct(
        self,
        data: st.DataObject,
        do: Callable[[Decision], Corrected],
        expect: Callable[[], tuple[Made, bool]],
    ) -> Made | None:
        before = snapshot(self.url)
        try:
            made, new = expect()
        except Conflict:
            refused(do)
            assert snapshot(self.url) == before
            return None
        done = do(Decision("ada", "so", NOW))
        assert (done.correction["id"], done.made) == (f"cor_larder_{made.number}", new)
        after = snapshot(self.url)
        again = do(Decision("ada", "once more", NOW + 1))
        assert (again.correction, again.made) == (done.correction, False)
        assert snapshot(self.url) == after
        if not new:
            assert after == before
        elif data.draw(st.booleans(), label="regretted"):
            self._undo(made.number)
            assert settled(snapshot(self.url)) == settled(before)
        return made

    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        """Clusters, also some that were merged before or have no items."""
        some = st.sampled_from([*sorted(self.model.shown()) * 2, *sorted(self.model.known)])
        into, others = data.draw(some), data.draw(st.lists(some, min_size=1, max_size=3))
        made = self._correct(
            data,
            lambda decided: self.corrections.merge("larder", into, others, decided),
            lambda: self.model.merge(into, others),
        )
        if made is not None and made.live and made is self.model.made[-1]:
            assert {self.model.where(item) for item in made.pins} == {made.into}

    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        """Items of a cluster, perhaps all."""
        shown = self.model.shown()
        cluster = data.draw(st.sampled_from(sorted(shown)))
        some = st.lists(
            st.sampled_from(sorted(shown[cluster])), min_size=1, max_size=3, unique=True
        )
        items = data.draw(some)
        made = self._correct(
            data,
            lambda decided: self.corrections.split("larder", cluster, items, decided),
            lambda: self.model.split(cluster, items),
        )
        if made is not None and made.live:
            assert self.model.members(made.into) == set(items)

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """An item, perhaps of another cluster than is said."""
        item = data.draw(st.sampled_from(sorted(self.model.homes)))
        known = [*sorted(self.model.shown()), *sorted(self.model.known)]
        cluster = data.draw(st.sampled_from([self.model.where(item)] * 8 + known))
        to = data.draw(st.sampled_from(known))
        self._correct(
            data,
            lambda decided: self.corrections.move("larder", cluster, item, to, decided),
            lambda: self.model.move(cluster, item, to),
        )

    @precondition(lambda self: self.model.made)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """Any correction, undone or not."""
        self._undo(data.draw(st.sampled_from(self.model.made)).number)

    def _undo(self, number: int) -> None:
        before = snapshot(self.url)

        def do(decided: Decision) -> Corrected:
            return self.corrections.undo(f"cor_larder_{number}", decided)

        try:
            self.model.undo(number)
        except Conflict:
            refused(do)
            assert snapshot(self.url) == before
            return
        done = do(Decision("bob", "wrong", NOW)).correction
        assert done["undone"] == {"who": "bob", "why": "wrong", "at": NOW}

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """A person asks for a fix of a cluster that nobody fixes."""
        cluster = data.draw(st.sampled_from(sorted(self.model.shown())))
        if not self.model.busy(cluster):
            self._ask(cluster)

    def _ask(self, cluster: str) -> None:
        asked = self.jobs.ask(cluster, NOW + len(self.model.jobs), "ada")
        assert asked.outcome == "created"
        self.model.jobs.append(Job(asked.id, cluster))

    @precondition(lambda self: any(job.live for job in self.model.jobs))
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """An agent's work ends."""
        self._end(data.draw(st.sampled_from([job for job in self.model.jobs if job.live])))

    def _end(self, job: Job) -> None:
        assert self.jobs.move(job.id, 1, "failed", NOW, "x").outcome == "moved"
        job.live = False

    @invariant()
    def holds(self) -> None:
        """What must hold after each step."""
        held = snapshot(self.url)
        items_are_where_the_corrections_say(held, self.model)
        self.model.vacated -= self.model.shown().keys()
        clusters_are_what_their_items_add_up_to(held, self.model)
        the_project_is_what_its_items_add_up_to(held)


def refused(do: Callable[[Decision], Corrected]) -> None:
    """It is a conflict."""
    try:
        do(Decision("ada", "so", NOW))
    except Conflict:
        return
    raise AssertionError("was done")


def test_any_sequence_of_corrections_and_clustering_holds(redis_url: str, redis: Redis) -> None:
    """Membership is what the reference model says, after each step and whatever came between
    the machine's look and its write; clusters, lists and jobs add up; what people settled the
    machine leaves alone; undoing at once restores exactly; asking twice does nothing twice.
    """
    Corrections.url, Corrections.redis = redis_url, redis
    run_state_machine_as_test(
        Corrections,
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
