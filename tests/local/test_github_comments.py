"""What people do on the emulated GitHub: comment, delete an issue, take it elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soulcaster.edges.github import GitHubError
from soulcaster.rules.readings import Evidence, Moved, Withdrawn
from soulcaster.rules.sources import github as rules
from tests.local.github_hook import Hook, hooked
from tests.local.github_support import REPO, WRITE, World, make_repository, publish, started
from tests.rules.samples import source

ISSUES = f"/repos/{REPO}/issues"
EARLY = "2020-01-01T00:00:00Z"
OTHER = "acme/larder-mobile"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running_world:
        yield running_world


@pytest.fixture
def hook(world: World) -> Iterator[Hook]:
    with hooked(world, "issues", "issue_comment") as running_hook:
        yield running_hook


def local(world: World, what: str, **fields: object) -> Any:
    """A local-only call about the repository."""
    answer = world.person.post(f"/_local/{what}", json={"repo": REPO, **fields})
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def comment(world: World, text: str = "Same here.", number: int = 1, **fields: object) -> Any:
    """A comment that no hook hears of."""
    said = {"user": "grace", "body": text, "deliver": False}
    return local(world, "comments", number=number, **{**said, **fields})


def read(hook: Hook) -> tuple[str, Any]:
    """The next delivery's action, and what the product reads in it."""
    headers, payload = hook.next()
    return payload["action"], rules.normalise(source("github"), headers, payload, 5)


def test_the_life_of_a_comment_is_told(world: World, hook: Hook) -> None:
    """Written, edited and deleted: each is told in GitHub's form, once, and we read it."""
    world.local_issue(user="ada", title="Jam is missing", deliver=False)
    local(world, "comments", number=1, user="grace", body="Same here.")
    made = world.person.get(f"{ISSUES}/1/comments").json()[0]
    address = f"{ISSUES}/comments/{made['id']}"
    assert made["issue_url"] == f"{world.url}{ISSUES}/1"
    world.person.patch(address, json={"body": "Not here."}).raise_for_status()
    world.person.patch(address, json={"body": "Not here."}).raise_for_status()
    assert world.person.get(address).json()["body"] == "Not here."
    assert world.person.delete(address).status_code == 204
    assert world.person.get(address).status_code == 404

    told = [hook.next() for _ in range(3)]
    assert [headers["x-github-event"] for headers, _ in told] == ["issue_comment"] * 3
    payloads = [payload for _, payload in told]
    assert [payload["action"] for payload in payloads] == ["created", "edited", "deleted"]
    assert payloads[0]["comment"] == made
    assert payloads[0]["sender"]["login"] == "grace"
    assert [payload["issue"]["comments"] for payload in payloads] == [1, 1, 0]
    assert payloads[1]["changes"] == {"body": {"from": "Same here."}}
    found = [rules.normalise(source("github"), *one, 5) for one in told]
    said = [one[1] for one in found if isinstance(one, tuple)]
    assert all(isinstance(one, Evidence) and one.author == "grace" for one in said)
    assert [getattr(one, "body", None) for one in said] == ["Same here.", "Not here.", ""]
    assert hook.arrived.empty()


def test_who_comments_is_told(world: World, hook: Hook) -> None:
    """Whose token it is belongs to the organisation; anybody else is what the call says."""
    world.local_issue(user="ada", title="x", deliver=False)
    world.person.post(f"{ISSUES}/1/comments", json={"body": "Thanks"}).raise_for_status()
    comment(world, author_association="COLLABORATOR", deliver=True)
    comment(world, user="acme", deliver=True)
    token = world.as_token(world.edge.installation_token(REPO, {"issues": "write"}))
    token.post(f"{ISSUES}/1/comments", json={"body": "A draft: #2"}).raise_for_status()
    told = [hook.next()[1]["comment"] for _ in range(4)]
    assert [one["author_association"] for one in told] == [
        "MEMBER",
        "COLLABORATOR",
        "OWNER",
        "NONE",
    ]
    assert told[3]["user"]["type"] == "Bot"


def test_a_comment_updates_its_issue_and_shows_on_its_page(world: World) -> None:
    """So that whoever asks for what changed sees the issue, too; history stays in the past."""
    for number in (1, 2):
        world.local_issue(user="ada", title=f"x{number}", created_at="2026-01-01T00:00:00Z")
    comment(world, "<b>Later</b>", created_at="2026-01-02T00:00:00Z")
    comment(world, "Before", number=2, created_at="2025-01-02T00:00:00Z")
    shown = [world.person.get(f"{ISSUES}/{number}").json() for number in (1, 2)]
    assert [one["updated_at"][:10] for one in shown] == ["2026-01-02", "2026-01-01"]
    assert [one["comments"] for one in shown] == [1, 1]
    page = world.person.get(f"/{REPO}/issues/1", headers={"accept": "text/html"}).text
    assert "Later" in page
    assert "grace" in page


def test_all_comments_since_a_moment(world: World) -> None:
    """All of 130 come to the product's edge, oldest update first, those on pull requests too."""
    world.local_issue(user="ada", title="x")
    publish(world, world.edge.installation_token(REPO, WRITE))
    for n in range(130):
        comment(
            world,
            f"No. {n}",
            number=1 + n % 2,
            created_at=f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z",
        )
    token = world.edge.installation_token(REPO, {"issues": "read"})

    def since(moment: str) -> list[Any]:
        return [one for page in world.edge.comments_since(token, REPO, moment) for one in page]

    found = since(EARLY)
    assert {one["body"] for one in found} == {f"No. {n}" for n in range(130)}
    assert [one["updated_at"] for one in found] == sorted(one["updated_at"] for one in found)
    on_pulls = {"/pull/" in one["html_url"] for one in found if one["issue_url"].endswith("/2")}
    assert on_pulls == {True}
    assert [one["body"] for one in since("2026-01-01T00:02:08Z")] == ["No. 128", "No. 129"]
    newest = world.person.get(f"{ISSUES}/comments?sort=created&direction=desc&per_page=1").json()
    assert [one["body"] for one in newest] == ["No. 129"]


def test_a_deleted_issue_is_gone(world: World, hook: Hook) -> None:
    """With its comments; its number is not given again, and asking for it is 410."""
    world.local_issue(user="ada", title="x", deliver=False)
    comment(world)
    local(world, "issues/delete", number=1)
    action, found = read(hook)
    assert action == "deleted"
    assert isinstance(found, Withdrawn)
    assert world.person.get(f"{ISSUES}/1").status_code == 410
    assert world.person.get(f"{ISSUES}/comments").json() == []
    assert world.local_issue(user="ada", title="y")["number"] == 2


def test_a_transferred_issue_is_told_of_twice(world: World, hook: Hook) -> None:
    """By both repositories, with another id; it takes its comments and its state along."""
    make_repository(world, OTHER)
    with hooked(world, "issues", repo=OTHER) as other:
        before = world.local_issue(user="ada", title="x", body="b", labels=["bug"], deliver=False)
        comment(world)
        after = local(world, "issues/transfer", number=1, to=OTHER)
        (left, gone), (came, arrived) = read(hook), read(other)
    assert (left, came) == ("transferred", "opened")
    assert gone == arrived
    assert isinstance(gone, tuple)
    assert isinstance(gone[0], Moved)
    assert before["id"] != after["id"]
    kept = ("title", "body", "created_at", "state")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert [label["name"] for label in after["labels"]] == ["bug"]
    assert after["comments"] == 1
    moved = world.person.get(f"{ISSUES}/1")
    assert moved.status_code == 301
    assert moved.headers["location"] == f"{world.url}/repos/{OTHER}/issues/1"
    assert world.person.get(moved.headers["location"]).json()["id"] == after["id"]


def test_the_edge_is_told_what_became_of_an_issue(world: World) -> None:
    """301 for a transferred one, 410 for a deleted one, and for one that was both."""
    make_repository(world, OTHER)
    for title in ("kept", "moved", "deleted", "both"):
        world.local_issue(user="ada", title=title)
    local(world, "issues/delete", number=3)
    local(world, "issues/transfer", number=2, to=OTHER)
    local(world, "issues/transfer", number=4, to=OTHER)
    local(world, "issues/delete", number=2, repo=OTHER)
    token = world.edge.installation_token(REPO, {"issues": "read"})
    assert world.edge.issue(token, REPO, 1)["title"] == "kept"
    for number, status in ((2, 301), (3, 410), (4, 410), (9, 404)):
        with pytest.raises(GitHubError) as refused:
            world.edge.issue(token, REPO, number)
        assert (refused.value.status, refused.value.retryable) == (status, False)


def test_what_can_not_be_done_is_refused(world: World) -> None:
    """No text, no such issue, somebody else's repository, a pull request, no person."""
    world.local_issue(user="ada", title="x")
    publish(world, world.edge.installation_token(REPO, WRITE))
    make_repository(world, "zeta/other")
    post = world.person.post
    assert post(f"{ISSUES}/1/comments", json={"body": ""}).status_code == 422
    assert post(f"{ISSUES}/9/comments", json={"body": "x"}).status_code == 404
    assert world.person.get(f"{ISSUES}/comments?sort=karma").status_code == 422
    wrong: list[tuple[str, dict[str, object], int]] = [
        ("comments", {"number": "1", "user": "a", "body": "x"}, 422),
        ("comments", {"number": 1, "user": "a", "body": "x", "author_association": "KING"}, 422),
        ("issues/delete", {"number": 2}, 422),
        ("issues/delete", {"number": 9}, 404),
        ("issues/transfer", {"number": 1, "to": REPO}, 422),
        ("issues/transfer", {"number": 1, "to": "zeta/other"}, 422),
        ("issues/transfer", {"number": 1, "to": "acme/none"}, 404),
    ]
    for what, fields, status in wrong:
        answer = post(f"/_local/{what}", json={"repo": REPO, **fields})
        assert answer.status_code == status, json.dumps(fields)
    token = world.as_token(world.edge.installation_token(REPO, {"issues": "read"}))
    assert token.post(f"{ISSUES}/1/comments", json={"body": "x"}).status_code == 403
    assert token.post("/_local/comments", json={"repo": REPO}).status_code == 401
