"""How clusters are made in Redis, under a lease."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from soulcaster.edges.redis import Redis, record
from soulcaster.rules.referee import NO_GRANT, NO_QUOTA, Grant, Quota
from soulcaster.rules.text_kind import Kind
from soulcaster.rules.words import indexed

MOST_GONE = 1_000  # vectors that are deleted in one go: what one request to the index may hold


@dataclass(frozen=True, slots=True)
class Pending:
    """An item to be clustered; ``cluster`` is set when only its text has changed.

    ``rides``: the item that stands for those of its ``fingerprint``, '' for none, in the cluster
    ``theirs``.
    """

    id: str
    title: str
    text: str
    text_hash: str
    kind: Kind
    cluster: str
    fingerprint: str = ""
    rides: str = ""
    theirs: str = ""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a project has taught: ``geometry`` as the rule wrote it ('' for none yet), live
    corrections by kind and verb, and second looks: how many there were, items at the last one,
    when it was, how many were clustered after it, and how many since nothing waited.
    ``background``: what was measured of the embedding model, '' for nothing.
    """

    geometry: str = ""
    taught: Mapping[str, int] = field(default_factory=dict)
    looks: int = 0
    looked_total: int = 0
    looked_at: int = 0
    since: int = 0
    burst: int = 0
    background: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of one project, held under a lease; ``fence`` tells this holder from the next.

    ``tried``: an earlier attempt may have put vectors of these items into the index. ``gone``: ids
    of items that were withdrawn and whose vectors it may still have; there may be no other work.
    """

    project: str
    owner: str
    fence: str
    items: tuple[Pending, ...]
    recents: tuple[tuple[str, str], ...]
    tried: bool = False
    learned: Learned = field(default_factory=Learned)
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """An item that rides on none, as it was when it was last embedded.

    ``marks`` as the rule packs them; ``names``: of code; ``held`` by a correction.
    """

    id: str
    cluster: str
    kind: Kind
    marks: str
    names: tuple[str, ...]
    held: bool
    riders: int
    title: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """How many items and points it has, the size that it was named at, and whether the machine may
    empty it.
    """

    size: int
    points: int
    named_size: int
    free: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """``places``: the cluster of each item asked for that is in one; ``points``: of those.

    ``granted``: what this batch may have a referee judge; if anything, ``texts`` has the beginning
    of what each point says.
    """

    places: dict[str, str]
    points: tuple[Point, ...]
    clusters: dict[str, Cluster]
    granted: Grant = NO_GRANT
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be written of an item: where it goes and why, or only what it looks like now.

    ``rides``: the item that it rides on; else ``marks`` and ``names`` go with its vector.
    """

    id: str
    text_hash: str
    cluster: str = ""
    why: str = ""
    rides: str = ""
    marks: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """What a cluster is called, by whom, and how large it was then."""

    id: str
    name: str
    summary: str
    size: int
    by: str


@dataclass(frozen=True, slots=True)
class Committed:
    """How many items are newly in a cluster, how many of the project still wait, how many projects
    have some, and whether a second look at the project is due.
    """

    clustered: int
    pending: int
    projects: int
    look: bool


class ClusterStore:
    """Claims and commits; every method is one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def claim(
        self,
        project: str,
        owner: str,
        lease_ms: int,
        limit: int,
        now: int,
        skip: Collection[str] = (),
        space: str = "",
    ) -> Claim | None:
        """Take the lease on ``project`` ('' for any) and up to ``limit`` pending items.

        None when there is nothing to do or somebody else holds the lease. ``owner`` names the
        delivery that works: the same one may come back after its handler was killed.
        ``space``: of the embedding model's vectors.
        """
        found = self._redis.run(
            "cluster_claim",
            *(project, owner, lease_ms, limit, now, json.dumps(list(skip)), space, MOST_GONE),
        )
        if not found:
            return None
        name, fence, items, recents, tried, learned, gone = found
        return Claim(
            name,
            owner,
            str(fence),
            tuple(Pending(*item) for item in items),
            tuple((i, vector) for i, vector in recents),
            bool(tried),
            learned_of(learned),
            tuple(gone),
        )

    def context(
        self,
        project: str,
        neighbours: Sequence[str],
        others: Sequence[str],
        per_cluster: int,
        points: int,
        quota: Quota = NO_QUOTA,
    ) -> Context:
        """Points of the clusters that ``neighbours``, the nearest first, are in.

        Up to ``per_cluster`` of each, evenly spaced by age, and ``points`` in all; a cluster that
        does not fit any more is left out. Of the clusters of ``others`` only the sizes. What of
        ``quota`` is granted counts as used until it is given back.
        """
        places, found, clusters, pairs, texts = self._redis.run(
            "cluster_context",
            *(project, json.dumps(list(neighbours)), json.dumps(list(others)), per_cluster, points),
            *(quota.day, quota.per_day, quota.at_once),
        )
        granted = Grant(quota.day, int(pairs)) if pairs else NO_GRANT
        return Context(dict(places), points_of(found), clusters_of(clusters), granted, dict(texts))

    def commit(
        self,
        claim: Claim,
        decided: Sequence[Decided],
        names: Sequence[Named],
        vectors: Sequence[tuple[str, str]],
        now: int,
        recent_until: int,
        *,
        touched: Mapping[str, int] | None = None,
        look_busy: bool = False,
        look_idle: bool = False,
        unasked: Grant = NO_GRANT,
        forgotten: Sequence[str] = (),
    ) -> Committed:
        """Write a batch's decisions and give the lease back.

        What rides comes after what it rides on, and stays pending when that has changed. A
        cluster that was merged meanwhile stands for what it has become. ``touched``: how often
        each cluster was looked at closely. ``look_busy``, ``look_idle``: whether a second look
        is due if more is pending, and if not. ``unasked`` is given back. ``forgotten``: those of
        ``claim.gone`` that the index has deleted. Items that were withdrawn since are left out.
        Raises ``Stale``, and has written nothing, when the lease was lost.
        """
        clustered, pending, projects, look = self._redis.run(
            "cluster_commit",
            claim.project,
            claim.owner,
            claim.fence,
            now,
            json.dumps([_row(one) for one in decided]),
            names_row(names),
            json.dumps([{"id": i, "vector": v} for i, v in vectors]),
            *(recent_until, json.dumps(sorted((touched or {}).items()))),
            *(int(look_busy), int(look_idle), unasked.day, unasked.pairs),
            json.dumps(list(forgotten)),
        )
        return Committed(int(clustered), int(pending), int(projects), bool(look))

    def release(self, claim: Claim, unasked: Grant = NO_GRANT) -> None:
        """Give the lease back with nothing done, and what a referee was not asked."""
        self._redis.run("release", claim.project, claim.owner, unasked.day, unasked.pairs)


def _row(one: Decided) -> dict[str, str]:
    row = {"id": one.id, "text_hash": one.text_hash}
    if one.cluster:
        row |= {"cluster": one.cluster, "why": one.why}
    if one.rides:
        return row | {"rides": one.rides}
    return row | {"marks": one.marks, "names": " ".join(one.names)}


def names_row(names: Sequence[Named]) -> str:
    """Names as the scripts take them, with the words that the clusters are found by."""
    return json.dumps([{**asdict(name), "words": indexed(name.name)} for name in names])


def learned_of(values: Sequence[Any]) -> Learned:
    """What a claim says that the project has taught."""
    geometry, taught, look, background = values
    counts = {name: int(n) for name, n in record(taught).items()}
    looks, looked_total, looked_at, since, burst = map(int, look)
    return Learned(
        geometry, counts, looks, looked_total, looked_at, since, burst, background=background
    )


def points_of(rows: Sequence[Sequence[Any]]) -> tuple[Point, ...]:
    """Points from the rows of a script."""
    return tuple(
        Point(i, cluster, kind, marks, tuple(names.split()), bool(held), int(riders), title)
        for i, cluster, kind, marks, names, held, riders, title in rows
    )


def clusters_of(rows: Sequence[Sequence[Any]]) -> dict[str, Cluster]:
    """Clusters by id from the rows of a script."""
    return {
        i: Cluster(int(size), int(points), int(named), bool(free))
        for i, size, points, named, free in rows
    }
