"""The Reddit edge, and praw by itself, against the local Reddit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import praw
import prawcore
import pytest

from local.reddit import app
from local.reddit_posts import Posts
from local.serve import running
from soulcaster.edges.reddit import Reddit, RedditError

ID, SECRET = "client-of-the-test", "secret-of-the-test"
AGENT = "python:soulcaster.test:1 (by /u/soulcaster)"
POST: dict[str, Any] = {
    "subreddit": "larder",
    "id": "abc1",
    "title": "App crashes <on> upload",
    "selftext": "It & everything <b>dies</b>.\n\nEvery time.",
    "author": "cook",
    "created_utc": 1_760_000_000,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with running(app(Posts(tmp_path), ID, SECRET)) as url:
        yield url


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prawcore.sessions.time.sleep", lambda _: None)


def edge(url: str, secret: str = SECRET) -> Reddit:
    return Reddit(url, url, ID, secret, AGENT)


def client(url: str) -> praw.Reddit:
    return praw.Reddit(
        client_id=ID,
        client_secret=SECRET,
        user_agent=AGENT,
        reddit_url=url,
        oauth_url=url,
        check_for_updates=False,
    )


def post(url: str, what: str = "submissions", **fields: Any) -> httpx.Response:
    return httpx.post(f"{url}/_local/{what}", json=fields)


def bearer(url: str) -> dict[str, str]:
    answer = httpx.post(
        f"{url}/api/v1/access_token",
        data={"grant_type": "client_credentials"},
        auth=(ID, SECRET),
        headers={"user-agent": AGENT},
    )
    return {"authorization": f"bearer {answer.json()['access_token']}", "user-agent": AGENT}


def test_a_submission_comes_as_it_was_posted(server: str) -> None:
    """The edge returns the post as plain JSON, its text unescaped and its address absolute."""
    assert post(server, **POST).status_code == 201
    (got,) = edge(server).submissions("Larder", "new", 10)
    assert json.loads(json.dumps(got)) == {
        "id": "abc1",
        "fullname": "t3_abc1",
        "title": POST["title"],
        "selftext": POST["selftext"],
        "author": "cook",
        "permalink": f"{server}/r/larder/comments/abc1/app_crashes_on_upload/",
        "url": f"{server}/r/larder/comments/abc1/app_crashes_on_upload/",
        "created_utc": 1_760_000_000,
        "edited": False,
        "num_comments": 0,
        "score": 1,
        "subreddit": "larder",
        "link_flair_text": None,
    }


def test_the_newest_come_first_and_only_of_one_subreddit(server: str) -> None:
    """The limit cuts the oldest; other subreddits' posts never show."""
    for n in range(5):
        post(server, **{**POST, "id": f"p{n}", "created_utc": POST["created_utc"] + n})
    post(server, **{**POST, "id": "other", "subreddit": "kitchen"})
    assert [s["id"] for s in edge(server).submissions("larder", "new", 3)] == ["p4", "p3", "p2"]
    assert edge(server).submissions("nothing_here", "new", 3) == []


def test_a_deleted_author_is_none(server: str) -> None:
    """A submission whose author is gone is still feedback."""
    post(server, **{**POST, "author": "[deleted]"})
    assert edge(server).submissions("larder", "new", 1)[0]["author"] is None


@pytest.mark.usefixtures("no_pauses")
def test_praw_pages_through_a_listing(tmp_path: Path) -> None:
    """Following ``after`` gives each of 230 posts once, in order, new and hot alike."""
    posts = Posts(tmp_path)
    for n in range(230):
        posts.submit({**POST, "id": f"p{n}", "created_utc": n // 2})
    wanted = sorted((n // 2, f"p{n}") for n in range(230))[::-1]
    with running(app(posts, ID, SECRET)) as url:
        larder = client(url).subreddit("larder")
        for listing in (larder.new, larder.hot):
            assert [s.id for s in listing(limit=None)] == [identifier for _, identifier in wanted]


def test_pages_have_anchors_on_both_sides(server: str) -> None:
    """``after`` leads to older posts and ``before`` to newer ones, and each end says so."""
    for n in range(5):
        post(server, **{**POST, "id": f"p{n}", "created_utc": n})

    def page(**query: str) -> tuple[list[str], str | None, str | None]:
        found = httpx.get(
            f"{server}/r/larder/new",
            params={"raw_json": "1", "limit": "2", **query},
            headers=bearer(server),
        ).json()["data"]
        return [c["data"]["id"] for c in found["children"]], found["after"], found["before"]

    assert page() == (["p4", "p3"], "t3_p3", None)
    assert page(after="t3_p3") == (["p2", "p1"], "t3_p1", "t3_p2")
    assert page(after="t3_p1") == (["p0"], None, "t3_p0")
    assert page(before="t3_p1") == (["p3", "p2"], "t3_p2", "t3_p3")
    assert page(before="t3_p2") == (["p4", "p3"], "t3_p3", None)
    assert page(after="t3_gone") == ([], None, None)


def test_praw_reads_a_submission_its_comments_and_several_by_name(server: str) -> None:
    """The comment tree and the look-up by fullname work through praw's own objects."""
    post(server, **POST)
    post(server, **{**POST, "id": "abc2"})
    answer = {"submission": "abc1", "body": "Same <here>", "author": "baker", "created_utc": 1}
    assert post(server, "comments", **answer).status_code == 201
    assert post(server, "comments", **answer).status_code == 200
    submission = client(server).submission("abc1")
    assert (submission.title, submission.num_comments) == (POST["title"], 1)
    (comment,) = submission.comments.list()
    assert isinstance(comment, praw.models.Comment)
    assert (comment.body, str(comment.author)) == ("Same <here>", "baker")
    found = client(server).info(fullnames=["t3_abc2", "t3_gone", "t3_abc1"])
    assert [s.id for s in found] == ["abc2", "abc1"]
    with pytest.raises(prawcore.NotFound):
        _ = client(server).submission("gone").title


def test_posting_twice_is_posting_once(server: str) -> None:
    """An id, given or made from the content, is one post for ever."""
    assert post(server, **POST).status_code == 201
    assert post(server, **{**POST, "title": "later"}).json()["title"] == POST["title"]
    anonymous = {name: value for name, value in POST.items() if name != "id"}
    first, second = post(server, **anonymous), post(server, **anonymous)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(edge(server).submissions("larder", "new", 100)) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"created_utc": "today"}, "created_utc"),
        ({"id": "t3_abc"}, "id"),
        ({"subreddit": "r/larder"}, "subreddit"),
        ({"permalink": "https://example.com/"}, "permalink"),
        ({"flair": "bug"}, "flair"),
    ],
)
def test_a_wrong_post_is_refused_by_field(server: str, change: dict[str, Any], field: str) -> None:
    """400 names what does not fit, and nothing is kept."""
    answer = post(server, **{**POST, **change})
    assert (answer.status_code, answer.json()["message"].split(":")[0]) == (400, field)
    assert edge(server).submissions("larder", "new", 100) == []


def test_posts_and_tokens_survive_a_restart(tmp_path: Path) -> None:
    """Another process on the same folder has the posts, and takes tokens given before."""
    with running(app(Posts(tmp_path), ID, SECRET)) as url:
        post(url, **POST)
        token = bearer(url)
    with running(app(Posts(tmp_path), ID, SECRET)) as url:
        answer = httpx.get(f"{url}/r/larder/new?raw_json=1", headers=token)
        assert answer.json()["data"]["children"][0]["data"]["id"] == "abc1"


def test_a_submission_has_a_page(server: str) -> None:
    """Its address opens for anyone, shows its text and comments, and runs nothing in it."""
    page = post(server, **{**POST, "selftext": "<script>x</script>", "id": "abc9"}).json()["url"]
    note = {"body": "<i>y</i>", "author": "baker", "created_utc": 1}
    post(server, "comments", submission="abc9", **note)
    shown = httpx.get(page)
    assert shown.status_code == 200
    assert "&lt;script&gt;x&lt;/script&gt;" in shown.text
    assert "&lt;i&gt;y&lt;/i&gt;" in shown.text
    assert "<script" not in shown.text
    assert httpx.get(f"{server}/r/larder/comments/none/").status_code == 404
    kept = post(server, **{**POST, "id": "abc8", "permalink": "/r/Larder/old/place"}).json()
    assert httpx.get(kept["url"]).status_code == 200


@pytest.mark.usefixtures("no_pauses")
def test_a_wrong_secret_is_refused_for_good(server: str) -> None:
    """A wrong client secret is 401, and trying again is no use."""
    with pytest.raises(RedditError, match="401") as refused:
        edge(server, "other").submissions("larder", "new", 1)
    assert not refused.value.retryable


def test_the_server_refuses_what_reddit_refuses(server: str) -> None:
    """No agent, no token, a forged one, another grant: each is answered as Reddit does."""
    token = bearer(server)
    new = f"{server}/r/larder/new?raw_json=1"
    assert httpx.get(new, headers={**token, "user-agent": "python-requests/2"}).status_code == 429
    assert httpx.get(new, headers={"user-agent": AGENT}).status_code == 401
    forged = httpx.get(new, headers={**token, "authorization": token["authorization"][:-1] + "!"})
    assert forged.status_code == 401
    assert "invalid_token" in forged.headers["www-authenticate"]
    grant = httpx.post(
        f"{server}/api/v1/access_token",
        data={"grant_type": "password"},
        auth=(ID, SECRET),
        headers={"user-agent": AGENT},
    )
    assert grant.json() == {"error": "unsupported_grant_type"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("r/larder/new", 501),
        ("r/larder/new?raw_json=1&limit=many", 400),
        ("r/larder/new?raw_json=1&after=t3_a&before=t3_b", 400),
        ("api/info?raw_json=1&id=t1_a", 501),
        ("api/v1/me", 501),
    ],
)
def test_calls_that_are_not_emulated_are_refused(server: str, path: str, status: int) -> None:
    """Whatever the product does not call gets an answer that says so."""
    answer = httpx.get(f"{server}/{path}", headers=bearer(server))
    assert (answer.status_code, answer.json()["error"]) == (status, status)


def test_the_rate_limit_is_told_and_kept(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer counts down; a call beyond the limit is a retryable error, without a wait."""
    monkeypatch.setattr("local.reddit.time.time", lambda: 1_760_000_000.0)
    monkeypatch.setattr("local.reddit.REQUESTS_PER_WINDOW", 2)
    answers = [
        httpx.get(f"{server}/r/larder/new?raw_json=1", headers=bearer(server)) for _ in range(3)
    ]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["1.0", "0.0", "0.0"]
    for _ in range(2):
        with pytest.raises(RedditError, match="429") as refused:
            edge(server).submissions("larder", "new", 1)
        assert refused.value.retryable
