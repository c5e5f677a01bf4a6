"""Give names to the clusters of a batch that are due for one."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from soulcaster.edges.cluster_store import Claim, Context, Named, Pending
from soulcaster.edges.gemini import Gemini, GeminiError
from soulcaster.rules.cluster import Assignment

log = logging.getLogger(__name__)

NAMED_FROM = 2  # one item is named by its own title
TEXTS_FOR_A_NAME = 20
NAMES_AT_ONCE = 4
NAMING_SECONDS = 60


def name_clusters(
    claim: Claim, assigned: Sequence[Assignment], context: Context, gemini: Gemini
) -> list[Named]:
    """Names for the clusters that are due: new, or twice as large as when last named.

    Never fails and takes 60 seconds at most: a cluster that could not be named has the title of an
    item, or keeps its name, and is due again when it next grows.
    """
    items = {item.id: item for item in claim.items}
    joined: dict[str, list[Assignment]] = {}
    for one in assigned:
        joined.setdefault(one.cluster, []).append(one)
    due: list[tuple[str, int, list[str]]] = []
    names: list[Named] = []
    for cluster, members in joined.items():
        was, named_size = context.clusters.get(cluster, (0, 0))
        size = was + len(members)
        if size < NAMED_FROM:
            names.append(_by_title(cluster, items[members[0].id], size))
        elif size >= max(NAMED_FROM, 2 * named_size):
            due.append((cluster, size, _texts(members, items, context)))
    made = _ask_all([texts for _, _, texts in due], gemini)
    for (cluster, size, _), name in zip(due, made, strict=True):
        if name is not None:
            names.append(Named(cluster, *name, size, "model"))
        elif cluster not in context.clusters:
            # A later run names it: its named size stays below two.
            names.append(_by_title(cluster, items[joined[cluster][0].id], 1))
    return names


def _by_title(cluster: str, item: Pending, size: int) -> Named:
    return Named(cluster, item.title[:80], "", size, "title")


def _ask_all(texts: Sequence[Sequence[str]], gemini: Gemini) -> list[tuple[str, str] | None]:
    """A name and a summary for each, None where there was none in time."""
    pool = ThreadPoolExecutor(NAMES_AT_ONCE)
    asked = [pool.submit(_ask, one, gemini) for one in texts]
    wait(asked, timeout=NAMING_SECONDS)
    # A call that hangs is left behind; what waits for its turn is not begun.
    pool.shutdown(wait=False, cancel_futures=True)
    return [one.result() if one.done() and not one.cancelled() else None for one in asked]


def _ask(texts: Sequence[str], gemini: Gemini) -> tuple[str, str] | None:
    try:
        made = gemini.name(texts)
    except GeminiError:
        # A cluster without a good name is better than feedback without a cluster.
        log.exception("not named")
        return None
    return made.name, made.summary


def _texts(members: Sequence[Assignment], items: dict[str, Pending], context: Context) -> list[str]:
    """What a cluster's name is made from: its new items, then their neighbours in it."""
    texts = {member.id: items[member.id].text for member in members}
    for member in members:
        for near in member.nearest:
            if near.id not in texts and near.id in context.members:
                texts[near.id] = context.members[near.id][1]
    return list(texts.values())[:TEXTS_FOR_A_NAME]
