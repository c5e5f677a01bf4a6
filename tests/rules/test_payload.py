"""Reading what sources send."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.payload import (
    Unreadable,
    link,
    member,
    milliseconds,
    optional,
    title_and_body,
)
from soulcaster.rules.text import BODY_CHARS, TITLE_CHARS

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_a_missing_title_is_the_first_line() -> None:
    """Feedback without a title is called by its body's first words."""
    assert title_and_body(" ", "# It breaks\n\nAlways.", "x") == (
        "It breaks",
        "# It breaks\n\nAlways.",
    )


@pytest.mark.parametrize("body", ["", " \n", "\u200b\0", "<!-- only a template -->"])
def test_what_says_nothing_is_unreadable(body: str) -> None:
    """Feedback without a word names the field at fault."""
    with pytest.raises(Unreadable) as caught:
        title_and_body("\u200b", body, "data.title")
    assert caught.value.field == "data.title"


def test_title_and_body_are_cut() -> None:
    """Nobody can store without bounds."""
    title, body = title_and_body("t" * 9_999, "b" * 99_999, "x")
    assert (len(title), len(body)) == (TITLE_CHARS, BODY_CHARS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (1735639200.5, 1735639200500),
        ("2024-12-31T10:00:00Z", 1735639200000),
        ("2024-12-31T10:00:00.123456+00:00", 1735639200123),
        ("2024-12-31T12:00:00+02:00", 1735639200000),
        ("2024-12-31 10:00:00", 1735639200000),
    ],
)
def test_times_are_read(value: object, expected: int) -> None:
    """Seconds since 1970 and ISO 8601, in UTC where nothing else is said, become ms."""
    assert milliseconds(value, "at") == expected


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "yesterday", [], {}, "2024-13-01", "0001-01-01", "9999-12-31T23:59:59Z"),
        *(-1, 1735639200500, float("nan"), float("inf"), 10**400, "1735639200"),
    ],
)
def test_what_is_no_time_is_named(value: object) -> None:
    """Anything else is unreadable, and the field is named."""
    with pytest.raises(Unreadable, match="at: is not a time"):
        milliseconds(value, "at")


@given(JSON)
def test_any_value_is_a_time_or_unreadable(value: object) -> None:
    """No JSON value gets through as a time outside 1970 to 2100, or as another error."""
    with suppress(Unreadable):
        assert 0 <= milliseconds(value, "at") < 4_102_444_800_000


@pytest.mark.parametrize(
    "address",
    ["https://a.example/x?y=1#z", "http://127.0.0.1:8080/", "https://a.example/" + "x" * 1_900],
)
def test_addresses_are_kept(address: str) -> None:
    """An http(s) address of a sensible length is a link."""
    assert link(address) == address


@pytest.mark.parametrize(
    "value",
    [
        *(None, 5, [], "", "javascript:alert(1)", "ftp://a.example", "//a.example", "https://"),
        *("https://a b", "https://a\nb", "https://a<b", 'https://a"b', "https://a\n"),
        "https://a.example/" + "x" * 2_000,
    ],
)
def test_other_things_are_no_links(value: object) -> None:
    """What could run, break out of markup or fill the store is not kept as a link."""
    assert link(value) is None


def test_a_member_is_found_or_named() -> None:
    """A dotted path leads to a value of the right type; else the path is named, and why."""
    payload = {"a": {"b": 5, "t": True, "n": None}}
    assert member(payload, "a.b", int) == 5
    assert optional(payload, "a.n", int) is None
    assert optional(payload, "a.c.d", int) is None
    for path, why in [("a.c", "missing"), ("a.n", "missing"), ("a.b.c", "missing"), ("a", "type")]:
        with pytest.raises(Unreadable, match=why) as caught:
            member(payload, path, int)
        assert caught.value.field == path
    with pytest.raises(Unreadable, match="type"):
        member(payload, "a.t", int)
    with pytest.raises(Unreadable, match="type"):
        optional(payload, "a.b", str)
