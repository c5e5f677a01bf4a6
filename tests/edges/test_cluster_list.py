import pytest

from soulcaster.edges.cluster_list import ClusterList, Sort, Status
from soulcaster.edges.redis import Redis
from tests.edges.clusters import clustered, joined, page_of
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")
SORTS: tuple[Sort, ...] = ("impact", "recent", "size")
STATUSES: tuple[Status, ...] = ("open", "resolved", "ignored")


@pytest.fixture
def store(redis: Redis) -> ClusterList:
    return ClusterList(redis)


def test_a_cluster_is_read_whole(store: ClusterList, redis: Redis) -> None:
    """With its newest items first and as many as asked for; None where there is none."""
    items = [feedback(external_id=f"i{n}", created_at=NOW + n) for n in range(4)]
    cluster = clustered(redis, *items, name="Export")
    found = store.read("larder", cluster, 2, NOW)
    assert found is not None
    assert [item["id"] for item in found["feedback"]] == [items[3].id, items[2].id]
    assert (found["name"], found["size"], found["jobs"]) == ("Export", 4, [])
    assert store.read("larder", "cl_larder_none", 2, NOW) is None
    assert store.read("other", cluster, 2, NOW) is None


@pytest.mark.parametrize("sort", ["impact", "size", "recent"])
def test_a_cluster_that_grows_is_not_in_the_way(redis: Redis, sort: Sort) -> None:
    """When the last cluster of a page grows before the next page is read, none is lost."""
    for n in range(6):
        clustered(redis, feedback(external_id=f"i{n}"), name=f"n{n}")
    order = [each["id"] for each in page_of(redis, sort).items]
    first = page_of(redis, sort, limit=3)
    joined(redis, order[2], feedback(external_id="more", created_at=NOW + 5))
    rest = page_of(redis, sort, first.next_cursor)
    assert [each["id"] for each in rest.items] == order[3:]


def test_sorts(store: ClusterList, redis: Redis) -> None:
    """The largest, the most recently reported or those that matter most first."""
    large = clustered(redis, *(feedback(external_id=f"{n}") for n in range(3)))
    recent = clustered(redis, feedback(external_id="x", created_at=NOW + 9))
    grave = clustered(redis, *(feedback(external_id=f"y{n}", author=f"{n}") for n in range(2)))
    orders: list[tuple[Sort, list[str]]] = [
        ("size", [large, grave, recent]),
        ("recent", [recent, *sorted([large, grave], reverse=True)]),
    ]
    for sort, order in orders:
        assert [each["id"] for each in page_of(redis, sort).items] == order
    assert page_of(redis, "impact").items[0]["id"] == grave
    assert store.page("other", "", 5, sort="size", status="open", now=NOW) is None


def test_a_status_has_a_list_of_its_own(store: ClusterList, redis: Redis) -> None:
    """In every order, with the number of those in that status; all of them are in one more."""
    opened, resolved, ignored = (
        clustered(redis, feedback(external_id=f"i{n}"), name=f"n{n}") for n in range(3)
    )
    store.set_status("larder", resolved, "resolved", "ada", NOW)
    store.set_status("larder", ignored, "ignored", "ada", NOW)
    for sort in SORTS:
        for status, held in zip(STATUSES, (opened, resolved, ignored), strict=True):
            page = page_of(redis, sort, status=status)
            assert [each["id"] for each in page.items] == [held]
            assert (page.total, page.items[0]["status"]) == (1, status)
        everything = page_of(redis, sort, status="all")
        assert {each["id"] for each in everything.items} == {opened, resolved, ignored}
        assert everything.total == 3
