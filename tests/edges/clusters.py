"""Clusters as the tests need them, made through the store's own door."""

from typing import Any

from soulcaster.edges.cluster_list import ClusterList, Listed, Sort
from soulcaster.edges.cluster_store import Claim, ClusterStore, Decided, Named
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.redis import Redis
from soulcaster.rules import ids
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.page import Page, decode_cursor
from tests.edges.servers import everything
from tests.rules.samples import NOW

LEASE_MS = 60_000


def stored(redis: Redis, *items: Feedback) -> None:
    """Feedback, pending."""
    for item in items:
        FeedbackStore(redis).store(item.project, [(item, "raw")])


def content(url: str) -> dict[str, Any]:
    """All that Redis holds, but for what counts deliveries, each time that one comes."""
    return {key: value for key, value in everything(url).items() if ":source:" not in key}


def claimed(redis: Redis, owner: str = "a", *, limit: int = 500, now: int = NOW) -> Claim:
    """Whatever is pending in ``larder``, under a lease."""
    claim = ClusterStore(redis).claim("larder", owner, LEASE_MS, limit, now)
    assert claim is not None
    return claim


def into(claim: Claim, cluster: str) -> list[Decided]:
    """All of a claim's items in one cluster."""
    return [Decided(item.id, item.text_hash, cluster, "{}") for item in claim.items]


def clustered(redis: Redis, *items: Feedback, name: str = "", now: int = NOW) -> str:
    """A cluster of ``items`` and of whatever else is pending; returns its id."""
    stored(redis, *items)
    cluster = ids.cluster_id("larder", items[0].id)
    claim = claimed(redis)
    names = [Named(cluster, name, "In short.", len(items), "model")] if name else []
    ClusterStore(redis).commit(claim, into(claim, cluster), names, [], now, now)
    return cluster


def joined(redis: Redis, cluster: str, *items: Feedback, now: int = NOW) -> None:
    """Put ``items`` and whatever else is pending into a cluster that is there."""
    stored(redis, *items)
    claim = claimed(redis)
    ClusterStore(redis).commit(claim, into(claim, cluster), [], [], now, now)


def page_of(
    redis: Redis,
    sort: Sort = "size",
    cursor: str | None = None,
    limit: int = 10,
    *,
    status: Listed = "open",
) -> Page[dict[str, Any]]:
    """A page of the clusters of ``larder``."""
    page = ClusterList(redis).page(
        "larder", decode_cursor(cursor), limit, sort=sort, status=status, now=NOW
    )
    assert page is not None
    return page


def read(redis: Redis, cluster: str, now: int = NOW) -> dict[str, Any]:
    """A cluster as it is shown at ``now``."""
    found = ClusterList(redis).read("larder", cluster, 200, now)
    assert found is not None
    return found
