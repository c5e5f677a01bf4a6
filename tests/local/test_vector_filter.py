"""The filter language of the emulated Upstash Vector."""

from typing import Any

import pytest

from local.vector.filter import FilterError, compiled

CITIES: dict[str, dict[str, Any]] = {
    "a": {"city": "Łódź", "n": 1, "ok": True, "tags": ["x"]},
    "b": {"city": "it is", "n": 2, "ok": False},
    "c": {},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("city = 'Łódź'", "a"),
        ('city != "Łódź"', "b"),
        ("n < 2", "a"),
        ("n<=2 and n>-1", "ab"),
        ("n > 1.5", "b"),
        ("n >= 1e0", "ab"),
        ("n = '1'", ""),
        ("ok = true OR n = 2", "ab"),
        ("ok = FALSE", "b"),
        ("ok = 1", "a"),
        ("city IN ('x', 'Łódź')", "a"),
        ("n in (2, 3)", "b"),
        ("n = 1 OR n = 2 AND city = 'no'", "a"),
        ("(n = 1 OR n = 2) AND city = 'it is'", "b"),
        ("missing != 1", ""),
        ("city > 1", ""),
        ("tags = 'x'", ""),
    ],
)
def test_a_filter_selects(text: str, expected: str) -> None:
    """A filter lets through what the language says; without the field nothing passes."""
    passes = compiled(text)
    assert "".join(name for name, metadata in CITIES.items() if passes(metadata)) == expected


@pytest.mark.parametrize(
    "text",
    ["a.b = 1", "a[0] = 1", "a GLOB 'x*'", "a NOT IN (1)", "a CONTAINS 1", "HAS FIELD a"],
)
def test_what_is_not_emulated_is_refused(text: str) -> None:
    """The rest of the vendor's language is an error that shows the filter."""
    with pytest.raises(FilterError) as refused:
        compiled(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        *("a", "a =", "a = b", "a = 'x", "(a = 1", "a = 1)", "a = 1 b = 2", "a IN 1", "a < 'x'"),
        *("a = 1 AND", "a IN (1", "= 1", "a = 1x", "()", "a = 1 AND OR b = 1", "a = 'it''s'", " "),
    ],
)
def test_what_is_malformed_is_refused(text: str) -> None:
    """A filter that can't be read is an error."""
    with pytest.raises(FilterError, match="Invalid filter"):
        compiled(text)
