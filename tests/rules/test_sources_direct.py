"""What comes by our own doors: a form, a script with a key, a row of a file."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules import built_in, delivery
from soulcaster.rules.built_in import BUILT_IN
from soulcaster.rules.delivery import Delivery
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.filters import Filters
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.reported import FIELDS
from soulcaster.rules.source import Source
from tests.rules.samples import NOW, PROJECT
from tests.rules.signed import json_values

WHOLE: dict[str, Any] = {
    "id": "t-17",
    "title": "No undo",
    "text": "I deleted everything.",
    "author": "ada",
    "url": "https://desk.example/17",
    "severity": "warning",
    "source": "hotline",
    "created_at": "2024-12-31T08:00:00Z",
    "updated_at": 1735639200,
    "occurrences": 3,
    "resolved": True,
}
every_kind = pytest.mark.parametrize("kind", BUILT_IN)


def read(kind: str, payload: Any, origin: Source | None = None) -> Feedback:
    origin = origin or built_in.source(PROJECT, kind)
    arrived = Delivery(
        project=PROJECT,
        source_id=origin.id,
        source=origin,
        headers={},
        body=json.dumps(payload).encode(),
        received_at=NOW,
    )
    found = delivery.read(Delivery.from_message(arrived.message()), origin)
    assert not isinstance(found, str), found
    (item,) = found
    assert isinstance(item, Feedback)
    return item


@every_kind
def test_every_field_arrives_as_it_was_meant(kind: str) -> None:
    """All that is documented, by way of the queue."""
    assert set(WHOLE) == set(FIELDS)
    found = read(kind, WHOLE)
    assert (found.source, found.source_id) == (kind, f"src_larder_{kind}")
    assert (found.external_id, found.title, found.body) == (
        "t-17",
        "No undo",
        "I deleted everything.",
    )
    assert (found.channel, found.author, found.severity) == ("hotline", "ada", "warning")
    assert (found.url, found.occurrences, found.open) == ("https://desk.example/17", 3, False)
    assert (found.created_at, found.version) == (1735632000000, 1735639200000)


@every_kind
def test_little_is_enough(kind: str) -> None:
    """A text alone is feedback of now, said in a place that is called after its source."""
    found = read(kind, {"id": "1", "text": "It is slow.\nReally."})
    assert (found.title, found.body) == ("It is slow.", "It is slow.\nReally.")
    assert (found.created_at, found.version, found.channel) == (NOW, NOW, kind)
    assert (found.author, found.url, found.severity, found.open) == (None, None, None, True)


@every_kind
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None, "text": " "}, "title or text"),
        ({"severity": "bad"}, "severity"),
        ({"created_at": "soon"}, "created_at"),
        ({"updated_at": True}, "updated_at"),
        ({"occurrences": "3"}, "occurrences"),
        ({"title": 5}, "title"),
        ({"id": ""}, "id"),
    ],
)
def test_the_field_at_fault_is_named(kind: str, change: dict[str, Any], field: str) -> None:
    """By the name that whoever sent it gave it."""
    with pytest.raises(Unreadable) as caught:
        read(kind, {**WHOLE, **change})
    assert caught.value.field == field


@pytest.mark.parametrize("kind", ["form", "api"])
def test_an_id_has_to_be_given(kind: str) -> None:
    """Nothing that is sent names the item, so whoever takes it in has to."""
    with pytest.raises(Unreadable) as caught:
        read(kind, {"text": "It is slow"})
    assert caught.value.field == "id"


def test_a_row_is_known_by_all_it_holds() -> None:
    """Also by what is no field of ours; the same row is the same item in every file."""
    row = {"text": "It is slow", "ticket": "7"}
    assert read("file", row).id == read("file", dict(reversed(row.items()))).id
    assert read("file", row).id != read("file", {**row, "ticket": "8"}).id
    assert read("file", {**row, "id": "a"}).external_id == "a"


@every_kind
def test_long_ids_stay_apart(kind: str) -> None:
    """Addresses, say, that differ at their end only; what is kept of them has an end."""
    start = "https://desk.example/" + 300 * "x"
    found = [read(kind, {**WHOLE, "id": one}) for one in (start, f"{start}1", f"{start}2", start)]
    assert [len(one.external_id) for one in found] == [200] * 4
    assert len({one.id for one in found}) == 3


def test_a_row_is_settled_or_not() -> None:
    """What is neither true nor false is not taken for one of them."""
    assert read("file", {**WHOLE, "resolved": False}).open
    with pytest.raises(Unreadable) as caught:
        read("file", {**WHOLE, "resolved": "closed"})
    assert caught.value.field == "resolved"


def test_ids_are_of_one_door_only() -> None:
    """What is sent by two of them with the same id is two items."""
    assert len({read(kind, WHOLE).id for kind in BUILT_IN}) == 3


@every_kind
def test_no_webhook_is_of_such_a_kind(kind: str) -> None:
    """Whatever is sent to its address was signed by nobody; it has no settings either."""
    found = KINDS[kind]
    assert found.SIGNING == "none"
    assert not found.verify({}, b"", (), NOW)
    assert not found.verify({}, b"", ("",), NOW)
    assert not found.polled({})
    assert found.configure({}) == {}
    with pytest.raises(Unreadable):
        found.configure({"secret": "x"})


@every_kind
def test_filters_hold_here_too(kind: str) -> None:
    """A project may switch such a source off, or leave out what it does not want."""
    with pytest.raises(AssertionError, match="below error"):
        read(kind, WHOLE, Source(**given_as(kind), filters=Filters(severity="error")))
    with pytest.raises(AssertionError, match="switched off"):
        read(kind, WHOLE, Source(**given_as(kind), enabled=False))


def given_as(kind: str) -> dict[str, Any]:
    return {"id": f"src_larder_{kind}", "project": PROJECT, "kind": kind, "name": kind}


@given(st.sampled_from(BUILT_IN), st.sampled_from(sorted(WHOLE)), json_values)
def test_any_value_is_feedback_or_unreadable(kind: str, field: str, value: Any) -> None:
    """With anything in any field, the item can be stored, or the field is named."""
    with suppress(Unreadable):
        found = read(kind, {**WHOLE, field: value})
        assert found.document
        assert found.text
