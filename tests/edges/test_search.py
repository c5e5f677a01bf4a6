import random
from collections import Counter
from typing import Any

import pytest

from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.cluster_store import ClusterStore, Named
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.search_store import Records, SearchStore
from soulcaster.rules.correction import Decision
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from soulcaster.rules.words import TOKENS_PER_QUERY, tokens
from tests.edges.clusters import claimed, clustered, stored
from tests.edges.servers import command
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
DECIDED = Decision(who="ada", why="", at=NOW)


def item(number: int, title: str, body: str = "", **given: Any) -> Feedback:
    """The item of that number; the higher, the newer."""
    given = {"created_at": NOW + number, **given}
    return feedback(external_id=str(number), title=title, body=body, **given)


def search(
    redis: Redis, query: str, near: list[str] | None = None, limit: int = 50, **given: Any
) -> tuple[Records, Records]:
    words = tokens(query, TOKENS_PER_QUERY)
    found = SearchStore(redis).find("larder", words, near or [], limit, now=NOW, **given)
    assert found is not None
    return found


def ids_of(records: Records) -> list[str]:
    return [record["id"] for record in records]


def found(redis: Redis, query: str, near: list[str] | None = None, **given: Any) -> list[str]:
    """The ids of the feedback, best first."""
    return ids_of(search(redis, query, near, **given)[0])


def calls(url: str) -> Counter[str]:
    """How often each command was run so far, in scripts too."""
    lines = command(url, "INFO", "commandstats").splitlines()
    stats = [line.partition(":") for line in lines if line.startswith("cmdstat_")]
    return Counter(
        {
            name.removeprefix("cmdstat_"): int(values.partition("calls=")[2].partition(",")[0])
            for name, _, values in stats
        }
    )


def test_an_item_is_found_by_its_words(redis: Redis) -> None:
    """By those of its title and of its text, at once, and it says by which."""
    one, other = item(1, "Export loses rows", "The CSV is short."), item(2, "Dark mode")
    stored(redis, one, other)
    for query in ("export", "EXPORT!", "csv", "the rows"):
        assert found(redis, query) == [one.id]
    (shown,), clusters = search(redis, "rows of the export")
    assert set(shown["words"]) == {"rows", "the", "export"}
    assert (shown["title"], shown["cluster"], shown["meaning_rank"]) == (one.title, None, None)
    assert clusters == []
    assert found(redis, "nothing") == found(redis, "") == []


def test_a_beginning_finds_the_word(redis: Redis) -> None:
    """A word that is not typed to its end finds those that begin like it, in any script."""
    stored(redis, item(1, "Exporting"), item(2, "Ящик пуст"), item(3, "写真が消える"))
    assert found(redis, "exp") == [item(1, "").id]
    assert found(redis, "ящ") == [item(2, "").id]
    assert found(redis, "写真") == [item(3, "").id]
    assert found(redis, "porting") == []


def test_the_word_itself_counts_more_than_a_longer_one(redis: Redis) -> None:
    """Even where the longer one is rare."""
    exact = [item(n, "log") for n in range(5)]
    stored(redis, *exact, item(9, "logarithm"), *(item(n, "other") for n in range(10, 30)))
    assert found(redis, "log") == [each.id for each in [*reversed(exact), item(9, "")]]


def test_a_beginning_stands_for_so_many_words(redis: Redis) -> None:
    """Twenty words of those that begin like it, the word itself first."""
    stored(redis, *(item(n, f"app{n:02}") for n in range(30)), item(99, "app"))
    hits = found(redis, "app")
    assert len(hits) == 20
    assert hits[0] == item(99, "").id


def test_a_rare_word_says_more(redis: Redis) -> None:
    """Of two words the one that few have decides, and both together say more than either."""
    common = [item(n, "the app") for n in range(8)]
    rare, both = item(20, "freezer", created_at=1), item(21, "the freezer", created_at=2)
    stored(redis, *common, rare, both)
    assert found(redis, "the freezer")[:2] == [both.id, rare.id]


def test_a_title_says_more_and_the_newest_comes_first(redis: Redis) -> None:
    """A word in the title before one in the text, and the newest of equals."""
    old, new, text = item(1, "Export"), item(2, "Export"), item(3, "Rows", "export")
    stored(redis, old, new, text)
    assert found(redis, "export") == [new.id, old.id, text.id]
    assert found(redis, "export", limit=2) == [new.id, old.id]


def test_words_and_meaning_are_fused_by_rank(redis: Redis) -> None:
    """Each ranking gives 1 / (60 + rank); who is in both comes before who leads one."""
    items = [item(n, f"{'export ' if n % 2 else ''}thing{n}") for n in range(40)]
    stored(redis, *items)
    by_words = found(redis, "export")
    assert len(by_words) == 20
    near = [each.id for each in items]
    random.Random(3).shuffle(near)
    near = near[:25]
    scores: dict[str, float] = {}
    for ranking in (by_words, near):
        for rank, identifier in enumerate(ranking, 1):
            scores[identifier] = scores.get(identifier, 0) + 1 / (60 + rank)
    created = {each.id: each.created_at for each in items}
    expected = sorted(scores, key=lambda i: (-scores[i], -created[i]))
    shown, _ = search(redis, "export", near)
    assert ids_of(shown) == expected
    ranks = {each["id"]: each["meaning_rank"] for each in shown}
    assert ranks == {i: near.index(i) + 1 if i in near else None for i in expected}


def test_meaning_alone_finds(redis: Redis) -> None:
    """Without any word in common; and what has a word is told so."""
    first, second = item(1, "Rows are lost"), item(2, "Dark mode")
    stored(redis, first, second)
    shown, _ = search(redis, "vanished", [second.id, first.id])
    assert [(each["id"], each["words"]) for each in shown] == [(second.id, []), (first.id, [])]


def test_the_vector_index_is_not_believed(redis: Redis) -> None:
    """It may name what Redis does not have, or has of another project: that is left out."""
    ProjectStore(redis).put(Project(id="other", name="Other"), new=True)
    elsewhere = feedback(project="other", title="Export")
    mine = item(1, "Export")
    stored(redis, elsewhere, mine)
    assert found(redis, "export", [elsewhere.id, "fb_larder_gone", "*", ""]) == [mine.id]
    assert SearchStore(redis).find("nobody", ["export"], [], 5, now=NOW) is None


def test_clusters_come_with_their_best_item(redis: Redis) -> None:
    """Those of the feedback found, in the order of the best of each, once; as lists show them."""
    text = clustered(redis, item(1, "Rows", "export"), item(2, "Lost rows"), name="Csv")
    title = clustered(redis, item(3, "Export"), item(4, "Thing", "export"), name="Missing")
    _, clusters = search(redis, "export")
    assert ids_of(clusters) == [title, text]
    (first, _) = clusters
    assert (first["name"], first["size"], first["words"]) == ("Missing", 2, [])
    assert first["trend"] == ClusterList(redis).read("larder", title, 1, NOW)["trend"]  # type: ignore[index]


def test_a_cluster_is_found_by_its_name(redis: Redis) -> None:
    """Also when none of its feedback is; a new name replaces the old one."""
    cluster = clustered(redis, item(1, "Rows"), name="Spreadsheet is short")
    shown, clusters = search(redis, "spread")
    assert (shown, ids_of(clusters)) == ([], [cluster])
    assert clusters[0]["words"] == ["spreadsheet"]
    stored(redis, item(2, "Rows again"))
    named = Named(cluster, "Table is short", "", 2, "model")
    ClusterStore(redis).commit(claimed(redis), [], [named], [], NOW, NOW)
    assert search(redis, "spreadsheet")[1] == []
    assert ids_of(search(redis, "table")[1]) == [cluster]


def test_a_name_lifts_a_cluster(redis: Redis) -> None:
    """Of clusters with equally good feedback that whose name fits comes first."""
    fits = clustered(redis, item(1, "Export"), name="Export is short")
    other = clustered(redis, item(2, "Export"), name="Something")
    assert found(redis, "export") == [item(2, "").id, item(1, "").id]
    assert ids_of(search(redis, "export")[1]) == [fits, other]


def test_what_was_merged_is_not_shown(redis: Redis) -> None:
    """Its items come with the cluster that they are in now; an undone merge brings it back."""
    left = clustered(redis, item(1, "Export"), name="Alpha")
    right = clustered(redis, item(2, "Rows"), name="Beta")
    store = CorrectionStore(redis)
    made = store.merge("larder", left, [right], DECIDED)
    assert ids_of(search(redis, "rows beta")[1]) == [left]
    store.undo(made.correction["id"], DECIDED)
    assert ids_of(search(redis, "beta")[1]) == [right]


def test_what_was_split_off_is_found_by_its_name(redis: Redis) -> None:
    """A new cluster is called after an item; without its items it is not shown."""
    first, second = item(1, "Export"), item(2, "Dark mode")
    cluster = clustered(redis, first, second, name="Both")
    store = CorrectionStore(redis)
    made = store.split("larder", cluster, [second.id], DECIDED)
    into = made.correction["into"]
    _, (shown,) = search(redis, "dark")
    assert (shown["id"], shown["words"]) == (into, ["dark"])
    store.undo(made.correction["id"], DECIDED)
    assert ids_of(search(redis, "dark")[1]) == [cluster]


def test_filters(redis: Redis) -> None:
    """Only feedback of the source and in clusters of the status, and only such clusters."""
    github = clustered(redis, item(1, "Export"), name="Export one")
    sentry = clustered(redis, item(2, "Export", source="sentry"), name="Export two")
    waiting = item(3, "Export")
    stored(redis, waiting)
    ClusterList(redis).set_status("larder", sentry, "resolved", "ada", NOW)
    shown, clusters = search(redis, "export", source="sentry")
    assert ([each["source"] for each in shown], ids_of(clusters)) == (["sentry"], [sentry])
    shown, clusters = search(redis, "export", status="open")
    assert ([each["cluster"] for each in shown], ids_of(clusters)) == ([github], [github])
    shown, clusters = search(redis, "export", source="github", status="resolved")
    assert (shown, clusters) == ([], [])
    assert len(found(redis, "export")) == 3
    assert waiting.id in found(redis, "export", source="github")


def test_the_work_is_bounded(redis: Redis, redis_url: str) -> None:
    """However many items have a word, Redis looks at so many; the rarest word's come first."""
    items = [item(n, "the app" if n % 2 else "the pantry") for n in range(3_000)]
    FeedbackStore(redis).store("larder", [(each, "") for each in items])
    rare = item(5_000, "the freezer", created_at=1)
    stored(redis, rare)
    query = "the app pantry freezer " + " ".join(f"word{n}" for n in range(30))
    before = calls(redis_url)
    shown, _ = search(redis, query, source="reddit")
    made = calls(redis_url) - before
    assert shown == []
    assert made["hmget"] <= 1_000
    assert made["zmscore"] <= 50
    assert made.total() < 1_500
    assert found(redis, query)[0] == rare.id
    assert len(found(redis, "the", limit=5_000)) == 1_000


def test_a_common_word_counts_for_what_a_rare_one_found(redis: Redis) -> None:
    """A list too long to be read still adds to the score of what was found."""
    items = [item(n, "the app") for n in range(1_500)]
    FeedbackStore(redis).store("larder", [(each, "") for each in items])
    old, new = item(2_000, "the freezer", created_at=1), item(2_001, "freezer")
    stored(redis, old, new)
    shown, _ = search(redis, "the freezer", limit=2)
    assert ids_of(shown) == [old.id, new.id]
    assert shown[0]["words"] == ["freezer", "the"]
