"""What a poll fetches from the emulated GitHub and the local Reddit, and puts on the queue."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.reddit import app
from local.reddit_posts import Posts
from local.serve import running
from soulcaster.edges.queues import Queue
from soulcaster.edges.reddit import Reddit
from soulcaster.edges.source_store import Polled, SourceStore
from soulcaster.rules import delivery
from soulcaster.rules.day import day_of
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.project import Project
from soulcaster.rules.quota import Standing
from soulcaster.rules.readings import Evidence, Reading
from soulcaster.rules.source import Source
from soulcaster.use_cases.poll import poll
from tests.local import github_support as hub
from tests.rules.samples import PROJECT, source

NOW = int(time.time() * 1000)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
# Both within one hour of the clock, so that no listing falls due between them.
TOP_OF_HOUR = NOW // HOUR * HOUR
AGENT = "python:soulcaster.test:1 (by /u/soulcaster)"


class Sources(SourceStore):
    """One source, and what is remembered of it."""

    def __init__(self, one: Source, cursor: str, room: int = 10) -> None:
        self.one = one
        self.cursor = cursor
        self.notes: list[str] = []
        self._room = room

    def polled(self, now: int) -> list[Polled]:
        """The one."""
        project = Project(id=PROJECT, name="Larder", repository=hub.REPO)
        standing = Standing(day_of(now), 0, 0, self._room, self._room)
        return [Polled(self.one, self.cursor, project, standing)]

    def save_cursors(self, cursors: Sequence[tuple[Source, str]]) -> None:
        """Keep it."""
        ((_, self.cursor),) = cursors

    def polled_note(self, source: Source, now: int, error: str) -> None:
        """Keep it."""
        self.notes.append(error)


class Sent(Queue):
    """What was sent, in order."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_all(self, bodies: Sequence[str]) -> None:
        """Keep them."""
        self.bodies += bodies

    def items(self) -> list[str]:
        """The titles of what is feedback alone."""
        return [item.title for (item,) in self._tuples(1) if isinstance(item, Feedback)]

    def comments(self) -> list[tuple[str, Evidence]]:
        """The comments, each with the title of what it is on."""
        return [
            (item.title, said)
            for item, said in self._tuples(2)
            if isinstance(item, Feedback) and isinstance(said, Evidence) and said.about == item.id
        ]

    def _tuples(self, length: int) -> list[tuple[Reading, ...]]:
        arrived = [Delivery.from_message(body) for body in self.bodies]
        found = [delivery.read(one, one.source) for one in arrived if one.source]
        return [one for one in found if isinstance(one, tuple) and len(one) == length]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[hub.World]:
    with hub.started(tmp_path) as running_world:
        yield running_world


@pytest.fixture
def posts(tmp_path: Path) -> Posts:
    return Posts(tmp_path)


@pytest.fixture
def reddit(posts: Posts) -> Iterator[Reddit]:
    with running(app(posts, "id", "secret")) as url:
        yield Reddit(url, url, "id", "secret", AGENT)


def unused() -> Any:
    raise AssertionError("the source is of the other kind")


def run(sources: Sources, now: int = NOW, *, github: Any = unused, reddit: Any = unused) -> Sent:
    """Poll once; what was counted is what was sent."""
    sent = Sent()
    counts = poll(
        sources=sources, queue=sent, github=github, reddit=reddit, now=now, time_left=lambda: True
    )
    assert sum(counts.values()) == len(sent.bodies)
    return sent


# GitHub


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def said(world: hub.World, number: int, text: str, at: int, **fields: object) -> Any:
    """A comment at a moment."""
    whole = {"repo": hub.REPO, "number": number, "user": "grace", "body": text}
    whole |= {"created_at": iso(at), "deliver": False, **fields}
    return world.person.post("/_local/comments", json=whole).raise_for_status().json()


def catching_up(world: hub.World, since: int | None = None) -> Sent:
    cursor = str(since) if since else ""
    return run(Sources(source("github", poll=True), cursor), github=lambda: world.edge)


def test_comments_come_with_their_issues(world: hub.World) -> None:
    """Issues and the comments on them, in the form in which webhooks bring them."""
    for title in ("quiet", "loud"):
        world.local_issue(user="ada", title=title, created_at=iso(NOW - DAY))
    said(world, 2, "Same here", NOW - HOUR)
    sent = catching_up(world)
    assert sorted(sent.items()) == ["loud", "quiet"]
    ((title, comment),) = sent.comments()
    assert (title, comment.body, comment.author) == ("loud", "Same here", "grace")
    assert comment.at == (NOW - HOUR) // 1000 * 1000


def test_only_comments_since_the_last_look_come(world: hub.World) -> None:
    """An older one came before; what comes twice is the same."""
    world.local_issue(user="ada", title="x", created_at=iso(NOW - DAY))
    said(world, 1, "Before", NOW - 2 * HOUR)
    said(world, 1, "Since", NOW - MINUTE)
    assert [one.body for _, one in catching_up(world, NOW - HOUR).comments()] == ["Since"]


def test_an_edited_comment_outranks_what_it_was(world: hub.World) -> None:
    """Also when it comes by webhook first."""
    world.local_issue(user="ada", title="x", created_at=iso(NOW - DAY))
    made = said(world, 1, "Before", NOW - HOUR)
    (_, before), *_ = catching_up(world).comments()
    address = f"/repos/{hub.REPO}/issues/comments/{made['id']}"
    world.person.patch(address, json={"body": "After"}).raise_for_status()
    (_, after), *_ = catching_up(world).comments()
    assert (after.id, after.body) == (before.id, "After")
    assert after.version > before.version


def test_an_issue_that_did_not_change_is_looked_up(world: hub.World) -> None:
    """A comment can be edited without its issue being updated."""
    world.local_issue(user="ada", title="old", created_at=iso(NOW - 9 * DAY))
    for text in ("one", "two"):
        made = said(world, 1, text, NOW - 8 * DAY)
        address = f"/repos/{hub.REPO}/issues/comments/{made['id']}"
        world.person.patch(address, json={"body": text.upper()}).raise_for_status()
    sent = catching_up(world, NOW - HOUR)
    assert sent.items() == []
    assert sorted((title, one.body) for title, one in sent.comments()) == [
        ("old", "ONE"),
        ("old", "TWO"),
    ]


def test_comments_on_what_is_no_issue_are_left_out(world: hub.World) -> None:
    """Pull requests are not asked for at all, and nobody looks for what is not there any more."""
    world.local_issue(user="ada", title="x", created_at=iso(NOW - DAY))
    hub.publish(world, world.edge.installation_token(hub.REPO, hub.WRITE))
    said(world, 2, "Looks right", NOW - MINUTE)
    sent = catching_up(world)
    assert (sent.items(), sent.comments()) == (["x"], [])


# Reddit


def submit(posts: Posts, name: str, at: int, **fields: Any) -> None:
    """A submission to r/larder at a moment."""
    words = {"subreddit": "larder", "title": name, "selftext": "", "author": "cook"}
    posts.submit({"id": name, "created_utc": at / 1000, **words, **fields})


def answer(posts: Posts, name: str, on: str, at: int) -> None:
    """A comment at a moment."""
    posts.comment(
        {"id": name, "submission": on, "body": name, "author": "baker", "created_utc": at / 1000}
    )


def subreddit(cursor: int | None = None, **config: Any) -> Sources:
    """A source that reads r/larder."""
    return Sources(source("reddit", subreddits=["larder"], **config), str(cursor or ""))


def test_a_source_of_before_is_read_as_it_was_and_with_comments(
    posts: Posts, reddit: Reddit
) -> None:
    """What was stored has no sorts, keywords and comments: new submissions, and comments."""
    submit(posts, "p1", NOW - DAY)
    answer(posts, "c1", "p1", NOW - HOUR)
    sent = run(subreddit(), reddit=lambda: reddit)
    assert sent.items() == ["p1"]
    assert [(title, one.body) for title, one in sent.comments()] == [("p1", "c1")]


def test_comments_are_left_alone_where_they_are_not_wanted(posts: Posts, reddit: Reddit) -> None:
    """Nobody asks for them then."""
    submit(posts, "p1", NOW - DAY)
    answer(posts, "c1", "p1", NOW - HOUR)
    assert run(subreddit(comments=False), reddit=lambda: reddit).comments() == []


def test_what_is_in_several_listings_comes_once(posts: Posts, reddit: Reddit) -> None:
    """New, hot, rising and top show much the same; those of the last 90 days count."""
    for name, days in (("today", 0.5), ("month", 20), ("season", 80), ("old", 100)):
        submit(posts, name, int(NOW - days * DAY))
    every = subreddit(NOW - HOUR, sorts=["new", "hot", "rising", "top"])
    assert sorted(run(every, reddit=lambda: reddit).items()) == ["month", "season", "today"]
    assert run(subreddit(NOW - HOUR), reddit=lambda: reddit).items() == []


def test_ranked_listings_are_read_once_an_hour(posts: Posts, reddit: Reddit) -> None:
    """They hardly change; new submissions are looked for each time."""
    submit(posts, "before", TOP_OF_HOUR - 2 * HOUR)
    one = subreddit(TOP_OF_HOUR + MINUTE, sorts=["new", "hot"])
    assert run(one, TOP_OF_HOUR + 6 * MINUTE, reddit=lambda: reddit).items() == []
    one = subreddit(TOP_OF_HOUR - MINUTE, sorts=["new", "hot"])
    assert run(one, TOP_OF_HOUR + 6 * MINUTE, reddit=lambda: reddit).items() == ["before"]


def test_keywords_choose_submissions_and_what_is_said_about_them(
    posts: Posts, reddit: Reddit
) -> None:
    """In title or text, in any letter case."""
    submit(posts, "p1", NOW - HOUR, title="It CRASHES")
    submit(posts, "p2", NOW - HOUR, selftext="After a crash nothing is left")
    submit(posts, "p3", NOW - HOUR, title="Recipes")
    for on in ("p1", "p2", "p3"):
        answer(posts, f"c{on}", on, NOW - MINUTE)
    sent = run(subreddit(keywords=["crash", "loses"]), reddit=lambda: reddit)
    assert sorted(sent.items()) == ["It CRASHES", "p2"]
    assert sorted(title for title, _ in sent.comments()) == ["It CRASHES", "p2"]


def test_a_comment_brings_its_submission(posts: Posts, reddit: Reddit) -> None:
    """One that was posted before the last look, or that no listing shows; not a very old one."""
    submit(posts, "earlier", NOW - 30 * DAY)
    submit(posts, "ancient", NOW - 100 * DAY)
    for n in range(100):
        submit(posts, f"p{n}", NOW - DAY)
    answer(posts, "c1", "earlier", NOW - MINUTE)
    answer(posts, "c2", "ancient", NOW - MINUTE)
    answer(posts, "c3", "p7", NOW - 9 * DAY)
    sent = run(subreddit(NOW - HOUR), reddit=lambda: reddit)
    assert sent.items() == []
    assert [(title, one.body) for title, one in sent.comments()] == [("earlier", "c1")]


def test_a_project_without_room_is_not_polled(reddit: Reddit) -> None:
    """The source says why, and what there is comes when there is room again."""
    one = Sources(source("reddit", subreddits=["larder"]), "5", room=0)
    assert run(one, reddit=lambda: reddit).bodies == []
    assert one.cursor == "5"
    assert "quota" in one.notes[0]


def test_a_subreddit_that_can_not_be_read_is_noted(posts: Posts, reddit: Reddit) -> None:
    """The source's others are read on, and remembered as read."""
    submit(posts, "p1", NOW - HOUR)
    wrong = Sources(source("reddit", subreddits=["x", "larder"]), "")
    assert run(wrong, reddit=lambda: reddit).items() == ["p1"]
    assert wrong.cursor == str(NOW)
    assert wrong.notes[0].startswith("r/x: ")
