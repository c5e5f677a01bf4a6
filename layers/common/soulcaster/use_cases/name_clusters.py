"""Give names to the clusters that are due for one."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from soulcaster.edges.cluster_store import Named
from soulcaster.edges.gemini import Gemini, GeminiError

log = logging.getLogger(__name__)

NAMED_FROM = 2  # one item is named by its own title
TEXTS_FOR_A_NAME = 20
NAMES_AT_ONCE = 4
NAMING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Changed:
    """A cluster that items came to or went from, and what it has now: ``size`` items.

    ``named_size``: how many it had when it was named, 0 for a new one. ``title``: of its first
    item; ``texts``: of its items, the most telling first.
    """

    id: str
    size: int
    named_size: int
    title: str
    texts: Sequence[str]


def name_clusters(changed: Iterable[Changed], gemini: Gemini) -> list[Named]:
    """Names for the clusters that are due: new, or twice or half as large as when last named.

    Never fails and takes 60 seconds at most: a cluster that could not be named has the title of an
    item, or keeps its name, and is due again when it next changes.
    """
    due: list[Changed] = []
    names: list[Named] = []
    for cluster in changed:
        if cluster.size < NAMED_FROM:
            if cluster.named_size != cluster.size:
                names.append(_by_title(cluster, cluster.size))
        elif cluster.size >= max(NAMED_FROM, 2 * cluster.named_size) or (
            2 * cluster.size <= cluster.named_size
        ):
            due.append(cluster)
    made = _ask_all([_distinct(cluster.texts) for cluster in due], gemini)
    for cluster, name in zip(due, made, strict=True):
        if name is not None:
            names.append(Named(cluster.id, *name, cluster.size, "model"))
        elif not cluster.named_size:
            # A later run names it: its named size stays below two.
            names.append(_by_title(cluster, 1))
    return names


def _by_title(cluster: Changed, size: int) -> Named:
    return Named(cluster.id, cluster.title[:80], "", size, "title")


def _distinct(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))[:TEXTS_FOR_A_NAME]


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
