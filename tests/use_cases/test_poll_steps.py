"""How far a poll has read is remembered on the way, and not where nothing was read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from local.reddit import app
from local.reddit_posts import Posts
from local.serve import running
from soulcaster.edges.github import GitHub
from soulcaster.edges.github_api import GitHubError
from soulcaster.edges.reddit import Reddit
from soulcaster.use_cases.poll import FIRST_LOOK_BACK_MS, poll
from tests.rules.samples import source
from tests.use_cases.test_poll_reads import AGENT, DAY, HOUR, NOW, Sent, Sources, iso, submit

FIRST = NOW - FIRST_LOOK_BACK_MS


class Busy(GitHub):
    """A repository with an issue every two hours, each with a comment an hour later."""

    def __init__(self, fails_after: int = 10**9) -> None:
        self.left = fails_after

    def installation_token(self, owner_repo: str, permissions: Any) -> str:
        """Any."""
        return "t"

    def issues_since(self, token: str, repo: str, since_iso: str) -> Iterator[list[dict[str, Any]]]:
        """Ten a page."""
        return self._pages(_issue, since_iso)

    def comments_since(
        self, token: str, repo: str, since_iso: str
    ) -> Iterator[list[dict[str, Any]]]:
        """As many."""
        return self._pages(_comment, since_iso)

    def issue(self, token: str, repo: str, number: int) -> dict[str, Any]:
        """One."""
        return _issue(number)

    def _pages(self, one: Any, since_iso: str) -> Iterator[list[dict[str, Any]]]:
        since = datetime.fromisoformat(since_iso).timestamp() * 1000
        found = [it for it in map(one, range(1, 1081)) if _ms(it["updated_at"]) >= since]
        for start in range(0, len(found), 10):
            self.left -= 1
            if self.left < 0:
                raise GitHubError(0, "too slow")
            yield found[start : start + 10]


def _ms(moment: str) -> float:
    return datetime.fromisoformat(moment).astimezone(UTC).timestamp() * 1000


def _issue(number: int) -> dict[str, Any]:
    at = iso(FIRST + number * 2 * HOUR - HOUR)
    said = {"title": f"issue {number}", "body": "", "state": "open", "comments": 1}
    return {"id": number, "number": number, **said, "created_at": at, "updated_at": at}


def _comment(number: int) -> dict[str, Any]:
    at = iso(FIRST + number * 2 * HOUR)
    said = {"id": number, "body": "Same here", "user": {"login": "grace"}}
    address = f"https://api.github.example/repos/acme/larder/issues/{number}"
    return {**said, "created_at": at, "updated_at": at, "issue_url": address}


def look(sources: Sources, github: GitHub, steps: int = 10**9) -> Sent:
    """Poll once, with time for so many steps."""
    sent, left = Sent(), iter(range(steps))

    def none() -> Any:
        raise AssertionError("the source is of the other kind")

    poll(
        sources=sources,
        queue=sent,
        github=lambda: github,
        reddit=none,
        now=NOW,
        time_left=lambda: next(left, None) is not None,
    )
    return sent


def all_of(*looks: Sent) -> tuple[set[str], set[str]]:
    """The issues and the comments that came, without those that came twice."""
    issues = {title for sent in looks for title in sent.items()}
    return issues, {said.id for sent in looks for _, said in sent.comments()}


EVERY = (
    {f"issue {number}" for number in range(1, 1081)},
    {f"comment:{number}" for number in range(1, 1081)},
)


def test_a_first_look_that_takes_too_long_goes_on_where_it_was() -> None:
    """Nothing is left out where one ends and the next goes on, and hardly anything comes twice."""
    one, looks = Sources(source("github", poll=True), ""), []
    while one.cursor != str(NOW):
        before = int(one.cursor or 0)
        looks.append(look(one, Busy(), steps=8))
        assert before < int(one.cursor) <= NOW
    assert 5 < len(looks) < 20
    assert all_of(*looks) == EVERY
    assert sum(len(sent.bodies) for sent in looks) < 2 * 2 * 1080


def test_what_was_read_before_a_failure_is_not_read_again() -> None:
    """It is noted what was wrong, and the next look begins there."""
    one = Sources(source("github", poll=True), "")
    failed = look(one, Busy(fails_after=20))
    assert FIRST < int(one.cursor) < NOW
    assert one.notes == ["GitHub: not reached: too slow"]
    assert all_of(failed, look(one, Busy())) == EVERY
    assert one.cursor == str(NOW)


def test_a_quiet_repository_is_read_in_one_step() -> None:
    """However long ago the last look was: two pages."""

    class Quiet(Busy):
        def _pages(self, one: Any, since_iso: str) -> Iterator[list[dict[str, Any]]]:
            self.left -= 1
            yield [one(1), one(1080)]

    github, one = Quiet(), Sources(source("github", poll=True), "")
    look(one, github)
    assert (github.left, one.cursor) == (10**9 - 2, str(NOW))


def test_a_reddit_that_refuses_us_is_not_read(tmp_path: Any) -> None:
    """With a secret that is void no subreddit can be read: all comes when it was replaced."""
    posts, one = Posts(tmp_path), Sources(source("reddit", subreddits=["larder"]), "")
    submit(posts, "p1", NOW - 10 * DAY)
    one.cursor = str(NOW - 11 * DAY)
    with running(app(posts, "id", "secret")) as url:
        for secret, found in (("void", []), ("secret", ["p1"])):
            sent = Sent()
            poll(
                sources=one,
                queue=sent,
                github=Busy,
                reddit=partial(Reddit, url, url, "id", secret, AGENT),
                now=NOW,
                time_left=lambda: True,
            )
            assert sent.items() == found
            assert (one.cursor == str(NOW)) == bool(found)
    assert "401" in one.notes[0]


def test_a_repository_that_can_not_be_read_is_named() -> None:
    """Where the App is not installed the note says on what."""

    class Foreign(Busy):
        def installation_token(self, owner_repo: str, permissions: Any) -> str:
            raise GitHubError(404, "Not Found")

    one = Sources(source("github", poll=True, repository="acme/other"), "5")
    look(one, Foreign())
    assert one.cursor == "5"
    assert "acme/other" in one.notes[0]
