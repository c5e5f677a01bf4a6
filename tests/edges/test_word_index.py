import random

import pytest

from soulcaster.edges.cluster_store import ClusterStore, Named
from soulcaster.edges.redis import Redis
from tests.edges.clusters import claimed, clustered, stored
from tests.edges.servers import command
from tests.edges.test_search import found, item
from tests.rules.samples import NOW

pytestmark = pytest.mark.usefixtures("project")


def index(url: str, family: str = "w") -> dict[str, dict[str, int]]:
    """Token → id → weight, as Redis holds it."""
    prefix = f"p:larder:{family}:"
    held = {}
    for key in command(url, "KEYS", f"{prefix}*"):
        flat = command(url, "ZRANGE", key, 0, -1, "WITHSCORES")
        held[key.removeprefix(prefix)] = dict(zip(flat[::2], map(int, flat[1::2]), strict=True))
    return held


def lexicon(url: str) -> set[str]:
    return set(command(url, "ZRANGE", "p:larder:lexicon", 0, -1))


def test_an_edit_changes_what_finds_an_item(redis: Redis, redis_url: str) -> None:
    """New words find it and old ones no longer do; nothing is left of what nobody has."""
    stored(redis, item(1, "Export rows", "of the pantry"), item(2, "Rows"))
    edited = item(1, "Import rows", "of the larder", version=NOW + 1)
    stored(redis, edited)
    assert found(redis, "export") == found(redis, "pantry") == []
    assert found(redis, "import") == found(redis, "larder") == [edited.id]
    assert lexicon(redis_url) == {"import", "rows", "of", "the", "larder"}


def test_a_word_that_moves_into_the_title_counts_more(redis: Redis, redis_url: str) -> None:
    """Also when nothing else has changed."""
    stored(redis, item(1, "Export", "Rows"))
    assert index(redis_url)["rows"] == {item(1, "").id: 1}
    stored(redis, item(1, "Export Rows", version=NOW + 1))
    assert index(redis_url)["rows"] == {item(1, "").id: 2}


def test_what_is_outdated_changes_no_words(redis: Redis) -> None:
    """A delivery that comes late leaves the words of the newer one."""
    stored(redis, item(1, "Import", version=NOW + 1), item(1, "Export"))
    assert found(redis, "export") == []
    assert len(found(redis, "import")) == 1


def test_the_index_is_what_the_items_say(redis: Redis, redis_url: str) -> None:
    """After any edits it holds exactly the words of the items and of the clusters' names."""
    rng = random.Random(7)
    vocabulary = ["export", "exports", "rows", "csv", "larder", "app", "一二三"]

    def text() -> str:
        return " ".join(rng.choices(vocabulary, k=3))

    for version in range(40):
        stored(redis, item(rng.randrange(4), text(), text(), version=NOW + version))
        if version % 5 == 4:
            name = Named("cl_larder_one", text(), "", 1, "model")
            claim = claimed(redis)
            ClusterStore(redis).commit(claim, [], [name], [], NOW, NOW)
            if version == 4:
                clustered(redis, item(9, text()), name=text())
    expected: dict[str, dict[str, int]] = {}
    for key in command(redis_url, "KEYS", "p:larder:fb:*"):
        if command(redis_url, "TYPE", key) != "hash" or key.count(":") > 3:
            continue
        title, _, rest = command(redis_url, "HGET", key, "words").partition("|")
        for weight, words in ((1, rest), (2, title)):
            for token in words.split():
                expected.setdefault(token, {})[key.rpartition(":")[2]] = weight
    assert index(redis_url) == expected
    assert lexicon(redis_url) == {*expected, *index(redis_url, "wc")}
