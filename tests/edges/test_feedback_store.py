from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from soulcaster.edges.feedback_store import HEAD_CHARS, FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis, RedisError
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.page import Page, decode_cursor
from soulcaster.rules.project import Project
from tests.edges.clusters import content
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("project")


@pytest.fixture
def store(redis: Redis) -> FeedbackStore:
    return FeedbackStore(redis)


def put(store: FeedbackStore, *items: Feedback) -> int:
    return store.store("larder", [(item, "raw") for item in items])


def numbered(count: int, **given: Any) -> list[Feedback]:
    """So many items, a second apart, the newest last."""
    return [
        feedback(**{"external_id": f"issue:{n}", "created_at": NOW + 1_000 * n, **given})
        for n in range(count)
    ]


def walk(store: FeedbackStore, limit: int) -> list[str]:
    """All pages from the first to the last."""
    seen: list[str] = []
    cursor = None
    while True:
        page = page_of(store, cursor, limit)
        seen += [item["id"] for item in page.items]
        if page.next_cursor is None:
            return seen
        cursor = page.next_cursor


def page_of(store: FeedbackStore, cursor: str | None, limit: int) -> Page[dict[str, Any]]:
    page = store.page("larder", decode_cursor(cursor), limit)
    assert page is not None
    return page


def test_an_item_comes_back(store: FeedbackStore) -> None:
    """What was stored is shown, with everything that the API promises."""
    item = feedback(severity="error", details={"labels": ["bug"]}, occurrences=3)
    assert put(store, item) == 1
    found = store.read("larder", item.id)
    assert found is not None
    for name in ("title", "body", "author", "url", "severity", "details", "channel", "open"):
        assert found[name] == getattr(item, name)
    assert (found["id"], found["occurrences"], found["cluster"]) == (item.id, 3, None)
    assert (found["created_at"], found["received_at"]) == (item.created_at, item.received_at)
    assert found["why"] is None


def test_any_words_can_be_stored(store: FeedbackStore) -> None:
    """No character changes on the way through JSON, Lua and Redis."""
    words = '🥫 "quoted" \\ \u2028 é {}[] null \n\t</script> ' + "x" * 50_000
    item = feedback(title="🥫", body=words, details={"labels": [], "empty": {}})
    put(store, item)
    found = store.read("larder", item.id)
    assert found is not None
    assert (found["body"], found["details"]) == (words, {"labels": [], "empty": {}})


def test_a_redelivery_changes_nothing(store: FeedbackStore, redis_url: str) -> None:
    """The same again, alone or beside others, leaves every key as it was."""
    items = numbered(5)
    assert put(store, *items) == 5
    before = content(redis_url)
    assert put(store, items[2]) == 0
    assert put(store, *items[::-1], *items) == 0
    assert content(redis_url) == before


def test_a_project_that_is_not_there_stores_nothing(store: FeedbackStore, redis_url: str) -> None:
    """Feedback of nobody's project is an error, not a new project."""
    before = content(redis_url)
    with pytest.raises(RedisError, match="NOPROJECT"):
        store.store("nobody", [(feedback(project="nobody"), "raw")])
    assert content(redis_url) == before


def test_the_order_of_arrival_does_not_matter(store: FeedbackStore, redis_url: str) -> None:
    """However the states of one item arrive, the richest and newest one is kept in the end."""
    states = [
        feedback(source="sentry", title="thin", version=NOW + 9, occurrences=7),
        feedback(source="sentry", title="rich", rank=1, version=NOW, occurrence_id="e1"),
        feedback(source="sentry", title="rich", rank=1, version=NOW + 1, occurrence_id="e2"),
        feedback(source="sentry", title="gone", version=NOW + 9, open=False, created_at=NOW - 5),
    ]
    ends = []
    for order in permutations(states):
        command(redis_url, "DEL", "-", *[key for key in everything(redis_url) if ":fb" in key])
        put(store, *order[:2])
        for state in order[2:]:
            put(store, state)
        ends.append(store.read("larder", states[0].id))
    assert ends == [ends[0]] * len(ends)
    assert ends[0] is not None
    assert ends[0]["title"] == "rich"
    assert (ends[0]["open"], ends[0]["occurrences"]) == (False, 7)
    assert ends[0]["created_at"] == NOW - 5


def test_a_tie_has_one_winner(store: FeedbackStore) -> None:
    """Two states of the same moment: the same one is kept whichever came first."""
    one, other = feedback(body="one"), feedback(body="other")
    kept = []
    for first, second in ((one, other), (other, one)):
        put(store, first)
        put(store, second)
        found = store.read("larder", one.id)
        assert found is not None
        kept.append(found["body"])
    assert kept[0] == kept[1]


def test_an_item_can_be_settled_and_opened_again(store: FeedbackStore) -> None:
    """Where the version does not tell, what was said last about its state holds."""
    states = [
        feedback(open=True, open_at=NOW),
        feedback(open=False, open_at=NOW + 1),
        feedback(open=True, open_at=NOW + 2),
    ]
    for count, order in enumerate(permutations(states)):
        states_in_turn = [replace(one, external_id=f"x{count}") for one in order]
        for state in states_in_turn:
            put(store, state)
        found = store.read("larder", states_in_turn[0].id)
        assert found is not None
        assert found["open"]


def test_an_event_counts_once(store: FeedbackStore) -> None:
    """Occurrences are distinct events, however often each was delivered; what is no event is
    none of them.
    """
    for event in ("a", "b", "a", "c", "c", "a"):
        put(store, feedback(source="sentry", occurrence_id=event), feedback(source="sentry"))
    found = store.read("larder", feedback(source="sentry").id)
    assert found is not None
    assert found["occurrences"] == 3


def test_only_new_words_are_pending_again(store: FeedbackStore, redis_url: str) -> None:
    """An item waits to be embedded when it is new or its text has changed."""
    item = feedback()

    def pending_after(changed: Feedback) -> bool:
        command(redis_url, "DEL", "p:larder:pending")
        put(store, changed)
        return bool(command(redis_url, "ZCARD", "p:larder:pending"))

    assert pending_after(item)
    assert not pending_after(item)
    assert not pending_after(feedback(version=NOW + 1, open=False))
    assert pending_after(feedback(version=NOW + 2, body="More words."))
    assert not pending_after(feedback(version=NOW + 1, body="Older words."))


def test_pages_hold_everything_once(store: FeedbackStore) -> None:
    """Newest first, each item once, with the number of all of them on each page."""
    items = numbered(7)
    put(store, *items)
    newest_first = [item.id for item in reversed(items)]
    for limit in (1, 2, 3, 7, 8):
        assert walk(store, limit) == newest_first
    page = page_of(store, None, 3)
    assert (len(page.items), page.total) == (3, 7)
    assert store.page("other", "", 3) is None


def test_items_of_one_moment_are_paged(store: FeedbackStore) -> None:
    """A thousand items may have one time stamp: none is lost or shown twice."""
    put(store, *numbered(9, created_at=NOW))
    assert len(set(walk(store, 2))) == len(walk(store, 2)) == 9


def test_new_items_do_not_shift_a_page(store: FeedbackStore) -> None:
    """What arrives between two pages is on neither, and pushes nothing onto the next one."""
    items = numbered(6)
    put(store, *items[:4])
    first = page_of(store, None, 2)
    put(store, *items[4:])
    second = page_of(store, first.next_cursor, 2)
    seen = [item["id"] for item in [*first.items, *second.items]]
    assert seen == [item.id for item in reversed(items[:4])]
    assert second.total == 6


@pytest.mark.parametrize("same_moment", [False, True])
@pytest.mark.parametrize("fate", ["gone", "moved up", "moved down"])
def test_a_cursor_outlives_its_item(
    store: FeedbackStore, redis_url: str, same_moment: bool, fate: str
) -> None:
    """When the last item of a page is gone or moves, the next page goes on where it was."""
    items = numbered(8, **({"created_at": NOW} if same_moment else {}))
    put(store, *items)
    order = walk(store, 8)
    for place in range(1, 8):
        page = page_of(store, None, place)
        score = {"gone": None, "moved up": NOW * 2, "moved down": 1}[fate]
        was = command(redis_url, "ZSCORE", "p:larder:fbs", order[place - 1])
        command(redis_url, "ZREM", "p:larder:fbs", order[place - 1])
        if score:
            command(redis_url, "ZADD", "p:larder:fbs", score, order[place - 1])
        rest = page_of(store, page.next_cursor, 8)
        moved_down = [order[place - 1]] if fate == "moved down" else []
        assert [item["id"] for item in rest.items] == order[place:] + moved_down
        command(redis_url, "ZADD", "p:larder:fbs", was, order[place - 1])


def test_a_list_shows_the_beginning_of_a_body(store: FeedbackStore) -> None:
    """A page must fit in an answer: bodies are cut in lists, and whole when read alone."""
    item = feedback(body="x" * 50_000)
    put(store, item)
    (shown,) = page_of(store, None, 5).items
    assert shown["body"] == "x" * HEAD_CHARS
    whole = store.read("larder", item.id)
    assert whole is not None
    assert whole["body"] == item.body


def test_projects_do_not_meet(store: FeedbackStore) -> None:
    """An item is found in its own project and in no other."""
    put(store, feedback())
    assert store.read("other", feedback().id) is None
    assert store.read("larder", "fb_larder_none") is None


def test_equal_projects_share_nothing(store: FeedbackStore, redis: Redis) -> None:
    """Two projects may hear of the same issue, and each has its own item of it."""
    ProjectStore(redis).put(Project(id="other", name="Other"), new=True)
    put(store, feedback())
    assert store.store("other", [(feedback(project="other"), "raw")]) == 1
    for project in ("larder", "other"):
        page = store.page(project, "", 5)
        assert page is not None
        assert page.total == 1


def test_what_came_in_is_counted(store: FeedbackStore, redis_url: str) -> None:
    """New items by the UTC day on which they were received, for forty days; of each source its
    deliveries, new items and the latest delivery.
    """
    late, early = NOW + 86_400_000, NOW - 1
    put(store, feedback(), feedback(received_at=NOW + 9), feedback(external_id="2"))
    put(store, feedback(external_id="3", received_at=late, source_id="src_larder_form"))
    put(store, feedback(external_id="4", received_at=early))
    held = everything(redis_url)
    days = {key[-10:]: is_ for key, is_ in held.items() if ":intake:" in key}
    assert days == {
        "2024-12-31": {"items": "1"},
        "2025-01-01": {"items": "2"},
        "2025-01-02": {"items": "1"},
    }
    assert 39 * 86_400 < command(redis_url, "TTL", "p:larder:intake:2025-01-01") <= 40 * 86_400
    assert held["p:larder:source:src_larder_form"] == {
        "deliveries": "1",
        "items": "1",
        "last_delivery": str(late),
    }
    assert held["p:larder:source:src_larder_github"] == {
        "deliveries": "4",
        "items": "3",
        "last_delivery": str(NOW + 9),
    }
