"""Webhooks of the emulated GitHub, received and verified by a small server."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from local.serve import free_port
from soulcaster.rules.pull_news import CheckNews
from soulcaster.rules.source import Source
from soulcaster.rules.sources import github as rules
from tests.local.github_hook import DEADLINE_SECONDS, SECRET, Hook, receiving
from tests.local.github_support import REPO, WRITE, World, key_pair, publish, started


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running_world:
        yield running_world


@pytest.fixture
def receiver() -> Iterator[Hook]:
    with receiving() as hook:
        yield hook


EVENTS = ("issues", "issue_comment", "pull_request", "check_suite")


def hook(world: World, url: str, events: tuple[str, ...] = EVENTS) -> str:
    """Make a hook and return its address in the API."""
    made = world.person.post(
        f"/repos/{REPO}/hooks",
        json={
            "events": list(events),
            "config": {"url": url, "secret": SECRET, "content_type": "json"},
        },
    )
    assert made.status_code == 201
    assert SECRET not in made.text
    return f"/repos/{REPO}/hooks/{made.json()['id']}"


def deliveries(world: World, address: str, count: int) -> list[dict[str, Any]]:
    """The recorded deliveries, once there are ``count`` with an outcome."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        found: list[dict[str, Any]] = world.person.get(f"{address}/deliveries").json()
        if len([d for d in found if d["status"] != "interrupted"]) == count:
            return found
    raise AssertionError("the deliveries were not recorded")


def test_an_issue_is_delivered_signed(world: World, receiver: Hook) -> None:
    """A new hook is pinged; a new issue arrives signed, in GitHub's form."""
    address = hook(world, receiver.url)
    headers, ping = receiver.next()
    assert headers["x-github-event"] == "ping"
    assert ping["hook_id"] == int(headers["x-github-hook-id"])

    world.local_issue(user="ada", title="Jam ☕ is missing", body="since Monday")
    headers, sent = receiver.next()
    assert headers["x-github-event"] == "issues"
    assert headers["x-github-delivery"]
    assert headers["content-type"] == "application/json"
    assert (sent["action"], sent["issue"]["number"]) == ("opened", 1)
    assert sent["repository"]["full_name"] == REPO
    assert sent["sender"]["login"] == sent["issue"]["user"]["login"] == "ada"
    assert "installation" not in sent

    newest, _ = deliveries(world, address, 2)
    assert (newest["status_code"], newest["event"], newest["action"]) == (202, "issues", "opened")
    kept = world.person.get(f"{address}/deliveries/{newest['id']}").json()
    assert kept["request"]["payload"] == sent
    assert kept["response"]["payload"] == "noted"


def test_the_life_of_an_issue_is_told(world: World, receiver: Hook) -> None:
    """Edits, closing and reopening are told in order, each once."""
    hook(world, receiver.url)
    receiver.next()
    address = f"/repos/{REPO}/issues"
    world.person.post(address, json={"title": "Old", "body": "b"})
    world.person.patch(f"{address}/1", json={"title": "New"})
    world.person.patch(f"{address}/1", json={"title": "New"})
    world.person.patch(f"{address}/1", json={"state": "closed"})
    world.person.patch(f"{address}/1", json={"state": "open"})
    told = [receiver.next()[1] for _ in range(4)]
    assert [t["action"] for t in told] == ["opened", "edited", "closed", "reopened"]
    assert told[1]["changes"] == {"title": {"from": "Old"}}
    assert told[2]["issue"]["closed_at"]
    assert receiver.arrived.empty()


def test_the_life_of_a_pull_request_is_told(world: World, receiver: Hook) -> None:
    """Opened as a draft, made ready, merged; the issue that it fixes is closed with it."""
    hook(world, receiver.url)
    receiver.next()
    world.local_issue(user="ada", title="Count the shelves", deliver=False)
    publish(world, world.edge.installation_token(REPO, WRITE))
    headers, opened = receiver.next()
    assert headers["x-github-event"] == "pull_request"
    assert (opened["action"], opened["number"]) == ("opened", 2)
    assert opened["pull_request"]["draft"]
    assert opened["sender"] == opened["pull_request"]["user"]
    assert opened["sender"]["login"] == "soulcaster[bot]"

    world.person.post("/_local/pulls/ready", json={"repo": REPO, "number": 2})
    assert receiver.next()[1]["action"] == "ready_for_review"
    world.person.put(f"/repos/{REPO}/pulls/2/merge", json={})
    merged = receiver.next()[1]
    assert (merged["action"], merged["pull_request"]["merged"]) == ("closed", True)
    headers, fixed = receiver.next()
    assert headers["x-github-event"] == "issues"
    assert (fixed["action"], fixed["issue"]["number"]) == ("closed", 1)


def test_how_checks_end_is_told(world: World, receiver: Hook) -> None:
    """In the form that we read, with the open pull requests whose head they ran on."""
    hook(world, receiver.url)
    receiver.next()
    sha = publish(world, world.edge.installation_token(REPO, WRITE))
    receiver.next()
    done = {"repo": REPO, "sha": sha, "conclusion": "failure"}
    assert world.person.post("/_local/checks", json=done).status_code == 201
    headers, sent = receiver.next()
    source = Source(id="src_larder_g", project="larder", kind="github", name="g")
    found = rules.normalise(source, headers, sent, 5)
    assert isinstance(found, CheckNews)
    assert (found.repository, found.numbers, found.head) == (REPO, (1,), sha)
    assert (found.checks, found.received_at) == ("failing", 5)

    again = world.person.post("/_local/checks", json={**done, "conclusion": "success"}).json()
    other = world.person.post("/_local/checks", json={**done, "app": "lint"}).json()
    assert again["id"] == sent["check_suite"]["id"] != other["id"]

    main = world.person.get(f"/repos/{REPO}/git/ref/heads/main").json()["object"]["sha"]
    assert not world.person.post("/_local/checks", json={**done, "sha": main}).json()[
        "pull_requests"
    ]
    for wrong in ({"sha": "0" * 40}, {"conclusion": "fine"}, {"repo": "acme/none"}):
        assert world.person.post("/_local/checks", json={**done, **wrong}).status_code in (404, 422)
    token = world.as_token(world.edge.installation_token(REPO, WRITE))
    assert token.post("/_local/checks", json=done).status_code == 401


def test_only_wanted_events_come(world: World, receiver: Hook) -> None:
    """A hook for pull requests hears nothing of issues, and loaded history is not news."""
    hook(world, receiver.url, ("pull_request",))
    receiver.next()
    world.local_issue(user="ada", title="x")
    publish(world, world.edge.installation_token(REPO, WRITE))
    assert receiver.next()[0]["x-github-event"] == "pull_request"


def test_a_failed_delivery_is_recorded_and_not_repeated(world: World, receiver: Hook) -> None:
    """An error and an absent receiver are both kept for people to see; nothing is sent again."""
    receiver.status = 500
    failing = hook(world, receiver.url)
    absent = hook(world, f"http://127.0.0.1:{free_port()}/")
    world.local_issue(user="ada", title="x")
    assert [d["status_code"] for d in deliveries(world, failing, 2)] == [500, 500]
    assert [d["status"] for d in deliveries(world, absent, 2)] == ["failed to connect"] * 2
    assert receiver.arrived.qsize() == 2


def test_the_apps_own_hook_names_the_installation(world: World, receiver: Hook) -> None:
    """What is sent to the App says for which installation."""
    now = int(time.time())
    claims = {"iat": now, "exp": now + 60, "iss": "77"}
    app = world.as_token(jwt.encode(claims, key_pair()[0], algorithm="RS256"))
    config = {"url": receiver.url, "secret": SECRET, "content_type": "json"}
    assert app.patch("/app/hook/config", json=config).status_code == 200
    world.local_issue(user="ada", title="x")
    headers, sent = receiver.next()
    assert sent["installation"]["id"] == 501
    assert headers["x-github-hook-installation-target-type"] == "integration"


def test_a_deleted_hook_hears_nothing(world: World, receiver: Hook) -> None:
    """After DELETE the hook is gone with its deliveries."""
    address = hook(world, receiver.url)
    receiver.next()
    deliveries(world, address, 1)
    assert world.person.delete(address).status_code == 204
    assert world.person.get(f"{address}/deliveries").status_code == 404
    assert world.person.get(f"/repos/{REPO}/hooks").json() == []


def test_a_token_makes_no_hook(world: World) -> None:
    """The App was not granted hooks."""
    token = world.edge.installation_token(REPO, WRITE)
    made = world.as_token(token).post(f"/repos/{REPO}/hooks", json={})
    assert made.status_code == 403
