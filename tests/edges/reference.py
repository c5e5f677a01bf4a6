"""Where items are, said in the simplest way: from the machine's homes and the live corrections."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from soulcaster.rules.correction import Conflict


@dataclass
class Made:
    """A correction, and the items that it holds while it is live."""

    number: int
    verb: str
    into: str
    out_of: list[str]
    items: list[str]
    pins: set[str]
    live: bool = True


@dataclass
class Job:
    """A fix that was asked for."""

    id: str
    cluster: str
    live: bool = True


@dataclass
class Reference:
    """What Redis should hold, with nothing of it stored twice."""

    homes: dict[str, str] = field(default_factory=dict)
    riders: dict[str, str] = field(default_factory=dict)  # rider → what it rides on
    made: list[Made] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # every cluster that ever was
    vacated: set[str] = field(default_factory=set)  # those whose last item was withdrawn

    def way(self, cluster: str) -> list[Made]:
        """The live merges that lead from ``cluster`` to what it has become."""
        for made in self.made:
            if made.live and made.verb == "merge" and cluster in made.out_of:
                return [made, *self.way(made.into)]
        return []

    def root(self, cluster: str) -> str:
        """What ``cluster`` has become by live merges."""
        way = self.way(cluster)
        return way[-1].into if way else cluster

    def says(self, item: str) -> Made | None:
        """The newest live correction that names ``item``."""
        return next((m for m in reversed(self.made) if m.live and item in m.items), None)

    def where(self, item: str) -> str:
        """The cluster that ``item`` is in."""
        made = self.says(item)
        return self.root(made.into if made else self.homes[item])

    def members(self, cluster: str) -> set[str]:
        """The items that are in ``cluster``."""
        return {item for item in self.homes if self.where(item) == cluster}

    def pins(self, item: str) -> list[int]:
        """The numbers of the live corrections that hold ``item``."""
        return [made.number for made in self.made if made.live and item in made.pins]

    def shown(self) -> dict[str, set[str]]:
        """Every cluster that has items, and them."""
        found: dict[str, set[str]] = {}
        for item in self.homes:
            found.setdefault(self.where(item), set()).add(item)
        return found

    def busy(self, cluster: str) -> bool:
        """Whether an agent works on ``cluster``."""
        return any(job.live and job.cluster == cluster for job in self.jobs)

    def jobs_of(self, cluster: str) -> list[str]:
        """The jobs of ``cluster`` and of all that is merged into it."""
        return [
            job.id
            for job in self.jobs
            if cluster in (job.cluster, *(made.into for made in self.way(job.cluster)))
        ]

    # What the machine does.

    def arrive(self, item: str, cluster: str) -> None:
        """A new item is decided to belong to ``cluster``."""
        self.homes[item] = cluster
        self.known.add(cluster)

    def rehome(self, item: str, left: str, cluster: str) -> None:
        """It thinks better of ``item``, and of what rides on it, having seen it in ``left``."""
        along = [rider for rider, on in self.riders.items() if on == item]
        free = [i for i in (item, *along) if self.where(i) == left and not self.pins(i)]
        ends = self.root(cluster) != left and set(free) == self.members(left)
        if item not in free or (ends and self.busy(left)):
            return
        self.known.add(cluster)
        self.homes.update(dict.fromkeys(free, cluster))

    # What their sources do.

    def withdraw(self, item: str) -> None:
        """``item`` is gone; the first of what rode on it stands for the others."""
        left = self.where(item) if item in self.homes else None
        self.homes.pop(item, None)
        self.riders.pop(item, None)
        heir, *others = sorted(i for i, on in self.riders.items() if on == item) or [item]
        self.riders.pop(heir, None)
        self.riders.update(dict.fromkeys(others, heir))
        for made in self.made:
            made.pins.discard(item)
        if left and not self.members(left):
            self.vacated.add(left)

    # What people do: each returns the correction, and whether it is new.

    def merge(self, into: str, others: Sequence[str]) -> tuple[Made, bool]:
        """``others`` go into ``into``."""
        if into in others:
            raise Conflict("no")
        root = self.root(into)
        out_of = [c for c in dict.fromkeys(map(self.root, others)) if c != root]
        if not out_of:
            ways = [made for cluster in (into, *others) for made in self.way(cluster)]
            return max(ways, key=lambda made: made.number), False
        if not all(self.members(cluster) for cluster in (root, *out_of)):
            raise Conflict("no")
        if any(self.busy(cluster) for cluster in out_of):
            raise Conflict("no")
        return self._make("merge", root, out_of, [], {root, *out_of})

    def split(self, cluster: str, items: Sequence[str]) -> tuple[Made, bool]:
        """``items`` leave ``cluster``."""
        root = self.root(cluster)
        if not set(items) <= self.members(root):
            before = self.says(items[0])
            if (
                before is None
                or (before.verb, set(before.items)) != ("split", set(items))
                or self.root(before.out_of[0]) != root
                or any(self.says(item) is not before for item in items)
            ):
                raise Conflict("no")
            return before, False
        if set(items) == self.members(root):
            raise Conflict("no")
        into = f"cl_larder_split-{len(self.made) + 1}"
        self.known.add(into)
        return self._make("split", into, [root], list(items), {root})

    def move(self, cluster: str, item: str, to: str) -> tuple[Made, bool]:
        """``item`` leaves ``cluster`` for ``to``."""
        left, into = self.root(cluster), self.root(to)
        if self.where(item) == into:
            before = self.says(item)
            if cluster == to or before is None or self.root(before.out_of[0]) != left:
                raise Conflict("no")
            return before, False
        if self.where(item) != left or not self.members(into):
            raise Conflict("no")
        if self.members(left) == {item} and self.busy(left):
            raise Conflict("no")
        return self._make("move", into, [left], [item], {left, into})

    def undo(self, number: int) -> Made:
        """Correction ``number`` is taken back."""
        made = self.made[number - 1]
        if not made.live:
            raise Conflict("no")
        before = set(self.shown())
        made.live = False
        if any(self.busy(gone) for gone in before - set(self.shown())):
            made.live = True
            raise Conflict("no")
        return made

    def _make(
        self, verb: str, into: str, out_of: list[str], items: list[str], settled: set[str]
    ) -> tuple[Made, bool]:
        pins = {item for cluster in settled for item in self.members(cluster)}
        made = Made(len(self.made) + 1, verb, into, out_of, items, pins)
        self.made.append(made)
        return made, True
