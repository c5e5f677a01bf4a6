"""Keep the ratings of clusters up to date with the time that passes."""

import logging
from collections.abc import Callable

from soulcaster.edges.cluster_list import ClusterList

log = logging.getLogger(__name__)

AT_ONCE = 500
RATED_FOR_MS = 6 * 60 * 60 * 1000


def rank_due(*, clusters: ClusterList, now: Callable[[], int], go_on: Callable[[], bool]) -> int:
    """Rate every cluster again whose rating is over six hours old; returns how many it was.

    One request for 500 clusters of a project, and one when nothing is due anywhere. Stops when
    ``go_on`` says so; the next run takes up the rest. Raises ``RedisError``.
    """
    rated = 0
    while go_on():
        moment = now()
        done = clusters.rank_due(moment, moment - RATED_FOR_MS, AT_ONCE)
        if done is None:
            break
        rated += done.clusters
        log.info("rated", extra={"project": done.project, "clusters": done.clusters})
        if not done.more:
            break
    return rated
