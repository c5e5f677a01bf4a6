"""A subreddit's listings and comments: the edge, and praw by itself, on the local Reddit."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import prawcore
import pytest

from local.reddit import app
from local.reddit_posts import Posts
from local.serve import running
from soulcaster.edges.reddit import PAGE, Sort
from soulcaster.rules.readings import Evidence
from soulcaster.rules.sources import reddit as rules
from tests.local.test_reddit import ID, POST, SECRET, bearer, client, edge, post
from tests.rules.samples import source

SORTS: tuple[Sort, ...] = get_args(Sort.__value__)
ANSWER: dict[str, Any] = {
    "id": "c1",
    "submission": "abc1",
    "body": "Same <here>",
    "author": "baker",
    "created_utc": 1_760_000_060,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with running(app(Posts(tmp_path), ID, SECRET)) as url:
        yield url


def test_the_edge_knows_every_sort_of_the_rules() -> None:
    """What can be configured can be read."""
    assert sorted(SORTS) == sorted(rules.SORTS)


@pytest.mark.parametrize("sort", SORTS)
def test_every_listing_is_read(server: str, sort: Sort) -> None:
    """Each of the four gives the submissions of its subreddit, up to the limit."""
    now = int(time.time())
    for n in range(3):
        post(server, **{**POST, "id": f"p{n}", "created_utc": now - 60 + n})
    post(server, **{**POST, "id": "other", "subreddit": "kitchen", "created_utc": now})
    found = edge(server).submissions("Larder", sort, 2)
    assert [one["fullname"] for one in found] == ["t3_p2", "t3_p1"]
    assert edge(server).submissions("nothing_here", sort, 2) == []


@pytest.mark.parametrize("sort", SORTS)
def test_every_listing_is_one_request(server: str, sort: Sort, monkeypatch: Any) -> None:
    """Beside the one for the token, however many there are; each is given up after a while."""
    asked = []
    send = prawcore.Requestor.request

    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(kwargs["timeout"])
        return send(self, *args, **kwargs)

    for n in range(PAGE + 1):
        post(server, **{**POST, "id": f"p{n}", "created_utc": int(time.time()) - n})
    monkeypatch.setattr("prawcore.Requestor.request", request)
    assert len(edge(server).submissions("larder", sort, PAGE)) == PAGE
    assert asked == [10, 10]


def test_the_top_ones_are_of_a_period(server: str) -> None:
    """The edge asks for the month's; praw's other periods work, and none is the day."""
    now = int(time.time())
    for name, days in (("today", 0.5), ("week", 5), ("month", 20), ("year", 200)):
        post(server, **{**POST, "id": name, "created_utc": now - days * 86_400})
    assert len(edge(server).submissions("larder", "top", 10)) == 3
    larder = client(server).subreddit("larder")
    assert len(list(larder.top(time_filter="week"))) == 2
    assert len(list(larder.top(time_filter="all"))) == 4
    answer = httpx.get(f"{server}/r/larder/top?raw_json=1", headers=bearer(server)).json()
    assert [one["data"]["id"] for one in answer["data"]["children"]] == ["today"]


def test_a_comment_comes_as_it_was_written(server: str) -> None:
    """The edge returns it as plain JSON, unescaped, with whose it is and what it is on."""
    post(server, **POST)
    assert post(server, "comments", **ANSWER).status_code == 201
    (got,) = edge(server).new_comments("Larder", 10)
    page = f"{server}/r/larder/comments/abc1/app_crashes_on_upload/"
    assert json.loads(json.dumps(got)) == {
        "id": "c1",
        "fullname": "t1_c1",
        "link_id": "t3_abc1",
        "parent_id": "t3_abc1",
        "body": "Same <here>",
        "author": "baker",
        "permalink": page + "c1/",
        "created_utc": 1_760_000_060,
        "edited": False,
        "score": 1,
        "is_submitter": False,
        "distinguished": None,
        "subreddit": "larder",
    }
    payload = {**got, "submission": edge(server).named(["t3_abc1"])[0]}
    found = rules.normalise(source("reddit"), {rules.TYPE_HEADER: "comment"}, payload, 5)
    assert isinstance(found, tuple)
    assert isinstance(found[1], Evidence)


def test_the_newest_comments_of_one_subreddit_come_first(server: str) -> None:
    """Whatever submission they are on; the submitter's own are marked, and nobody is nobody."""
    for name, subreddit in (("abc1", "larder"), ("abc2", "larder"), ("abc3", "kitchen")):
        post(server, **{**POST, "id": name, "subreddit": subreddit})
    for n, (on, author) in enumerate(
        [("abc1", "baker"), ("abc2", "cook"), ("abc3", "baker"), ("abc1", "[deleted]")]
    ):
        said = {"id": f"c{n}", "submission": on, "author": author, "created_utc": 1_760_000_000 + n}
        post(server, "comments", **{**ANSWER, **said})
    found = edge(server).new_comments("larder", 10)
    assert [(one["id"], one["link_id"]) for one in found] == [
        ("c3", "t3_abc1"),
        ("c1", "t3_abc2"),
        ("c0", "t3_abc1"),
    ]
    assert [one["author"] for one in found] == [None, "cook", "baker"]
    assert [one["is_submitter"] for one in found] == [False, True, False]
    assert [one["id"] for one in edge(server).new_comments("larder", 1)] == ["c3"]


def test_praw_pages_through_the_comments(tmp_path: Path, monkeypatch: Any) -> None:
    """Following ``after`` gives each of 230 comments once, in order."""
    monkeypatch.setattr("prawcore.sessions.time.sleep", lambda _: None)
    posts = Posts(tmp_path)
    posts.submit(POST)
    for n in range(230):
        posts.comment({**ANSWER, "id": f"c{n}", "created_utc": 1_760_000_000 + n})
    with running(app(posts, ID, SECRET)) as url:
        found = [one.id for one in client(url).subreddit("larder").comments(limit=None)]
    assert found == [f"c{n}" for n in reversed(range(230))]


def test_submissions_by_name(server: str) -> None:
    """Those that are there, in the order asked; never more than a page of them."""
    for name in ("abc1", "abc2"):
        post(server, **{**POST, "id": name})
    found = edge(server).named(["t3_abc2", "t3_gone", "t3_abc1"])
    assert [one["fullname"] for one in found] == ["t3_abc2", "t3_abc1"]
    for wrong in ([], [f"t3_{n}" for n in range(PAGE + 1)]):
        with pytest.raises(ValueError, match="fullnames"):
            edge(server).named(wrong)
