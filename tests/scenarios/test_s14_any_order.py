"""S14: deliveries come twice, shuffled, in reverse."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.pull_store import PullStore
from soulcaster.rules import ids
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.source import Source
from soulcaster.use_cases.store_batch import store_batch
from tests.support import seeds, state
from tests.support.world import World

type Payload = tuple[str, Mapping[str, str], Mapping[str, Any]]


def at(minute: int) -> str:
    """A moment of the story, in ISO 8601."""
    return datetime.fromtimestamp(seeds.THEN // 1000 + 60 * minute, UTC).isoformat()


def github(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """An issue that somebody opens, edits, closes or opens again."""
    issue = {
        "id": number,
        "number": number,
        "title": title,
        "body": "",
        "state": "closed" if closed else "open",
        "created_at": at(0),
        "updated_at": at(minute),
        "html_url": f"https://github.example/acme/larder/issues/{number}",
    }
    action = "closed" if closed else "edited"
    body = {"action": action, "issue": issue, "repository": {"full_name": "acme/larder"}}
    return "github", {"x-github-event": "issues"}, body


def sentry_issue(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """An issue as Sentry's own webhook has it, with the count that Sentry keeps."""
    issue = {
        "id": str(number),
        "title": title,
        "culprit": "larder.units in convert",
        "count": str(minute + 1),
        "firstSeen": at(0),
        "lastSeen": at(minute),
        "status": "resolved" if closed else "unresolved",
    }
    return "sentry", {"sentry-hook-resource": "issue"}, {"data": {"issue": issue}}


def sentry_event(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """An event of the issue: one more occurrence."""
    del closed  # events know nothing of that
    event = {
        "event_id": f"{number:016x}{minute:016x}",
        "issue_id": str(number),
        "title": title,
        "datetime": at(minute),
        "message": "It failed.",
    }
    return "sentry", {"sentry-hook-resource": "event_alert"}, {"data": {"event": event}}


def standard(number: int, minute: int, *, closed: bool, title: str) -> Payload:
    """Feedback that its sender updates and resolves."""
    data = {
        "id": number,
        "title": title,
        "created_at": at(0),
        "updated_at": at(minute),
        "resolved": closed,
    }
    return "standard", {"webhook-id": "1"}, {"type": "feedback.updated", "data": data}


PAYLOADS = st.builds(
    lambda make, number, minute, closed, title: make(number, minute, closed=closed, title=title),
    st.sampled_from([github, sentry_issue, sentry_event, standard]),
    st.integers(1, 3),
    st.integers(0, 4),
    st.booleans(),
    st.sampled_from(["It is slow", "It is very slow"]),
)


def message(payload: Payload, moment: int) -> str:
    """The queue's message about a verified delivery that came in at ``moment``."""
    kind, headers, body = payload
    identifier = ids.source_id(seeds.PROJECT, kind)
    return Delivery(
        project=seeds.PROJECT,
        source_id=identifier,
        source=Source(id=identifier, project=seeds.PROJECT, kind=kind, name=kind),
        headers=dict(headers),
        body=json.dumps(body).encode(),
        received_at=moment,
    ).message()


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Messages in order, and in batches as a queue may give them: shuffled, some repeatedly."""
    payloads = draw(st.lists(PAYLOADS, min_size=1, max_size=8))
    history = [message(payload, seeds.THEN + n) for n, payload in enumerate(payloads)]
    repeated = history + draw(st.lists(st.sampled_from(history), max_size=4))
    shuffled = draw(st.permutations(repeated))
    size = draw(st.integers(1, 10))
    return history, [shuffled[n : n + size] for n in range(0, len(shuffled), size)]


def store(world: World, batches: Sequence[Sequence[str]]) -> None:
    """Store batches of messages."""
    redis = seeds.redis(world)
    feedback, projects, pulls = FeedbackStore(redis), ProjectStore(redis), PullStore(redis)
    for batch in batches:
        numbered = [(str(number), body) for number, body in enumerate(batch)]
        assert store_batch(numbered, feedback=feedback, projects=projects, pulls=pulls) == []


def items(world: World) -> dict[str, Any]:
    """What is stored, but for which of two deliveries that say the same was kept as the raw one."""
    stored = state.stored(world)
    for value in stored.values():
        if isinstance(value, dict):
            value.pop("raw", None)
    return stored


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(histories())
def test_s14_deliveries_in_any_order_and_number_give_the_same_items(
    world: World, history: tuple[list[str], list[list[str]]]
) -> None:
    """Edits, closings and events: none is lost, none counted twice, the last word counts."""
    in_order, as_they_come = history
    outcomes = []
    for batches in ([[one] for one in in_order], [in_order[::-1]], as_they_come):
        state.redis(world, "FLUSHALL")
        seeds.project(world)
        store(world, batches)
        outcomes.append(items(world))
    assert outcomes[0] == outcomes[1] == outcomes[2]
