"""Clusters as the tests need them, made through the store's own door."""

from soulcaster.edges.cluster_store import Claim, ClusterStore, Named
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.redis import Redis
from soulcaster.rules import ids
from soulcaster.rules.cluster import Assignment
from soulcaster.rules.feedback import Feedback
from tests.rules.samples import NOW

LEASE_MS = 60_000


def stored(redis: Redis, *items: Feedback) -> None:
    """Feedback, pending."""
    for item in items:
        FeedbackStore(redis).store(item.project, [(item, "raw")])


def claimed(redis: Redis, owner: str = "a", *, limit: int = 500, now: int = NOW) -> Claim:
    """Whatever is pending in ``larder``, under a lease."""
    claim = ClusterStore(redis).claim("larder", owner, LEASE_MS, limit, now)
    assert claim is not None
    return claim


def into(claim: Claim, cluster: str) -> list[Assignment]:
    """All of a claim's items in one cluster."""
    return [Assignment(item.id, cluster, False, 0.9, 0.6, ()) for item in claim.items]


def clustered(redis: Redis, *items: Feedback, name: str = "") -> str:
    """A cluster of ``items`` and of whatever else is pending; returns its id."""
    stored(redis, *items)
    cluster = ids.cluster_id("larder", items[0].id)
    claim = claimed(redis)
    names = [Named(cluster, name, "In short.", len(items), "model")] if name else []
    ClusterStore(redis).commit(claim, into(claim, cluster), names, [], NOW, NOW)
    return cluster
