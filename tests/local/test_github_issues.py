"""Issues by the product's edge: everything since a moment, whatever happened to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.github_support import REPO, WRITE, World, publish, started

EARLY = "2020-01-01T00:00:00Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running:
        yield running


def issues_token(world: World) -> str:
    return world.edge.installation_token(REPO, {"issues": "read"})


def since(world: World, moment: str) -> list[int]:
    pages = world.edge.issues_since(issues_token(world), REPO, moment)
    return [issue["number"] for page in pages for issue in page]


def test_all_pages_oldest_update_first(world: World) -> None:
    """All of 230 issues come, in the order of their updates; those of a page's last second
    twice.
    """
    for n in range(230):
        world.local_issue(
            user="ada", title=f"Issue {n}", created_at=f"2026-01-{1 + n % 28:02}T00:00:00Z"
        )
    pages = list(world.edge.issues_since(issues_token(world), REPO, EARLY))
    assert [len(page) for page in pages[:2]] == [100, 100]
    found = [issue for page in pages for issue in page]
    assert {issue["number"] for issue in found} == set(range(1, 231))
    assert [i["updated_at"] for i in found] == sorted(i["updated_at"] for i in found)


def test_many_issues_of_one_second(world: World) -> None:
    """More than a page of them do not hold up the walk; each comes once for each look."""
    for n in range(230):
        world.local_issue(user="ada", title=f"Issue {n}", created_at="2026-01-01T00:00:00Z")
    world.local_issue(user="ada", title="Later", created_at="2026-01-02T00:00:00Z")
    assert set(since(world, EARLY)) == set(range(1, 232))
    assert len(since(world, "2026-01-01T00:00:00Z")) == 231


def test_an_update_during_the_walk_hides_nothing(world: World) -> None:
    """An issue of the first page that is updated moves to the end, and shifts none out of sight."""
    for n in range(150):
        moment = f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z"
        world.local_issue(user="ada", title=f"Issue {n}", created_at=moment)
    walk = world.edge.issues_since(issues_token(world), REPO, EARLY)
    seen = {issue["number"] for issue in next(walk)}
    for number in range(1, 6):
        address = f"/repos/{REPO}/issues/{number}"
        world.person.patch(address, json={"state": "closed"}).raise_for_status()
    rest = [issue for page in walk for issue in page]
    assert seen | {issue["number"] for issue in rest} == set(range(1, 151))
    assert {i["number"] for i in rest if i["state"] == "closed"} == set(range(1, 6))


def test_since_is_inclusive(world: World) -> None:
    """An issue updated at the very moment asked for is there, one before is not."""
    for day in (1, 2, 3):
        world.local_issue(user="ada", title="x", created_at=f"2026-01-0{day}T10:00:00Z")
    assert since(world, "2026-01-02T10:00:00Z") == [2, 3]
    assert since(world, "2026-01-02T10:00:01Z") == [3]
    assert since(world, "2026-01-02T12:00:00+02:00") == [2, 3]


def test_closed_and_reopened_issues_come_again(world: World) -> None:
    """Closing and reopening are updates: an old issue comes again, with its new state."""
    for _ in range(3):
        world.local_issue(user="ada", title="x", created_at="2026-01-01T00:00:00Z")
    address = f"/repos/{REPO}/issues"
    world.person.patch(f"{address}/2", json={"state": "closed"})
    world.person.patch(f"{address}/3", json={"state": "closed"})
    world.person.patch(f"{address}/3", json={"state": "open"})
    pages = world.edge.issues_since(issues_token(world), REPO, "2026-01-01T00:00:01Z")
    found = {i["number"]: (i["state"], bool(i["closed_at"])) for page in pages for i in page}
    assert found == {2: ("closed", True), 3: ("open", False)}


def test_pull_requests_are_left_out(world: World) -> None:
    """GitHub lists pull requests as issues; the edge doesn't."""
    world.local_issue(user="ada", title="A real issue")
    publish(world, world.edge.installation_token(REPO, WRITE))
    everything = world.person.get(f"/repos/{REPO}/issues", params={"state": "all"}).json()
    assert ["pull_request" in issue for issue in everything] == [True, False]
    assert since(world, EARLY) == [1]


def test_history_keeps_its_author_and_time(world: World) -> None:
    """A loaded issue is by whom and from when it says."""
    world.local_issue(
        user="ada", title="Späti ☕", body="x", labels=["bug"], created_at="2026-02-03T04:05:06Z"
    )
    shown = world.person.get(f"/repos/{REPO}/issues/1").json()
    assert shown["user"]["login"] == "ada"
    assert shown["title"] == "Späti ☕"
    assert shown["created_at"] == shown["updated_at"] == "2026-02-03T04:05:06Z"
    assert [label["name"] for label in shown["labels"]] == ["bug"]
    assert shown["html_url"] == f"{world.url}/{REPO}/issues/1"
    assert shown["id"] != shown["number"]


def test_bad_issues_are_422(world: World) -> None:
    """No title, or more text than GitHub takes, is refused with the field's name."""
    address = f"/repos/{REPO}/issues"
    assert world.person.post(address, json={"title": ""}).status_code == 422
    assert world.person.post(address, json={"title": 7}).status_code == 422
    long = world.person.post(address, json={"title": "x", "body": "x" * 65_537})
    assert (long.status_code, long.json()["errors"][0]["field"]) == (422, "body")
    assert world.person.get(address, params={"since": "yesterday"}).status_code == 422
