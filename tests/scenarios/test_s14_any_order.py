"""S14: deliveries come twice, shuffled, in reverse."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.pull_store import PullStore
from soulcaster.edges.source_store import SourceStore
from soulcaster.use_cases.store_batch import store_batch
from tests.scenarios.payloads import (
    LAST,
    comment,
    deleted,
    github,
    message,
    sentry_event,
    sentry_issue,
    standard,
    transferred,
)
from tests.support import seeds, state
from tests.support.world import World

PAYLOADS = st.builds(
    lambda make, number, minute, closed, title: make(number, minute, closed=closed, title=title),
    st.sampled_from([github, comment, transferred, deleted, sentry_issue, sentry_event, standard]),
    st.integers(1, 3),
    st.integers(0, LAST),
    st.booleans(),
    st.sampled_from(["It is slow", "It is very slow"]),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Messages in order, and in batches as a queue may give them: shuffled, some repeatedly."""
    payloads = draw(st.lists(PAYLOADS, min_size=1, max_size=10))
    history = [message(payload, seeds.THEN + n) for n, payload in enumerate(payloads)]
    repeated = history + draw(st.lists(st.sampled_from(history), max_size=4))
    shuffled = draw(st.permutations(repeated))
    size = draw(st.integers(1, 10))
    return history, [shuffled[n : n + size] for n in range(0, len(shuffled), size)]


def store(world: World, batches: Sequence[Sequence[str]]) -> None:
    """Store batches of messages."""
    redis = seeds.redis(world)
    feedback, sources, pulls = FeedbackStore(redis), SourceStore(redis), PullStore(redis)
    for batch in batches:
        numbered = [(str(number), body) for number, body in enumerate(batch)]
        assert store_batch(numbered, feedback=feedback, sources=sources, pulls=pulls) == []


def items(world: World) -> dict[str, Any]:
    """What is stored, but for which of two deliveries that say the same was kept as the raw one,
    what counts arrivals, and what is still to be done about vectors.
    """
    p = f"p:{seeds.PROJECT}:"
    stored = {key: is_ for key, is_ in state.stored(world).items() if ":intake:" not in key}
    stored.pop(f"{p}gone", None)
    if f"{p}pending" not in stored:
        stored.pop("sys:pending", None)
    for key, value in stored.items():
        if key.startswith(f"{p}source:"):
            value.pop("items", None)
        if isinstance(value, dict):
            value.pop("raw", None)
    return stored


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(histories())
def test_s14_deliveries_in_any_order_and_number_give_the_same_items(
    world: World, history: tuple[list[str], list[list[str]]]
) -> None:
    """Edits, closings, events, comments, transfers and deletions: none is lost, none counted twice,
    the last word counts, and what was deleted stays so.
    """
    in_order, as_they_come = history
    outcomes = []
    for batches in ([[one] for one in in_order], [in_order[::-1]], as_they_come):
        state.redis(world, "FLUSHALL")
        seeds.project(world)
        store(world, batches)
        outcomes.append(items(world))
    assert outcomes[0] == outcomes[1] == outcomes[2]
