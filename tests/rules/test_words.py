import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.words import (
    DIVIDER,
    LONGEST,
    SHORTEST,
    TOKENS_PER_ITEM,
    indexed,
    tokens,
)

ANY = 1_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Export loses ROWS", ["export", "loses", "rows"]),
        ("I can't, a b", ["can"]),
        ("HTTP 404 at 3.2.1", ["http", "404", "at", "3.2.1"]),
        ("getHTTPResponse", ["gethttpresponse", "get", "http", "response"]),
        ("TypeError:", ["typeerror", "type", "error"]),
        (
            "larder.export.write_csv",
            ["larder.export.write_csv", "larder", "export", "write", "csv"],
        ),
        ("__init__ ... _ end.", ["init", "end"]),
        ("Straße ﬁle \uff21\uff50\uff50", ["strasse", "file", "app"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("사진이 사라져요", ["사진이", "사라져요"]),
        ("iPhoneで写真が", ["iphone", "phone", "で写", "写真", "真が"]),
        ("ｶﾀｶﾅ・漢字", ["カタ", "タカ", "カナ", "漢字"]),
        ("ส่งออก", ["ส่", "่ง", "งอ", "ออ", "อก"]),
        ("row row Row", ["row"]),
        ("🐛 — !? \u200d\x00", []),
    ],
)
def test_what_a_text_is_found_by(text: str, found: list[str]) -> None:
    """Words and identifiers in one form, pairs of characters where there are no spaces."""
    assert tokens(text, ANY) == found


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_first_ones_count(limit: int) -> None:
    """No more tokens than asked for, from the beginning."""
    assert (
        tokens("one two three oneTwo four five", limit)
        == [*("one", "two", "three", "onetwo", "four")][:limit]
    )


def test_a_long_word_counts_by_its_beginning() -> None:
    """It is found again by its whole, however long that is."""
    assert tokens("x" * 100_000, ANY) == ["x" * LONGEST]


def test_the_title_comes_first() -> None:
    """The title's tokens, then those that the text adds; markup is nobody's word."""
    words = indexed("<b>Export</b> loses rows", "Export loses rows\n\nThe export has one row less.")
    assert words == "export loses rows | the has one row less"
    assert indexed("Export") == "export |"
    assert indexed("", "Export") == "| export"


def test_a_title_may_use_up_the_room() -> None:
    """Of title and text together no more are taken than of one item."""
    title = " ".join(f"title{n}" for n in range(TOKENS_PER_ITEM))
    assert indexed(title, f"{title}\n\nmore words") == f"{title} |"
    assert indexed(title[: -len(" title63")], "more words").endswith("title62 | more")


@given(st.text(max_size=300), st.integers(1, ANY))
@example("\u037a\u0345\u1f80\ufdfa", 5)
@example("\ud800 \u0130 \u017f \u0390", 5)
def test_any_text_has_tokens_within_bounds(text: str, limit: int) -> None:
    """Whatever it is, tokens are different, of their length, can be sent and say no more than
    letters, marks, digits, dots and underscores.
    """
    found = tokens(text, limit)
    assert len(found) == len(set(found)) <= limit
    for token in found:
        assert SHORTEST <= len(token) <= LONGEST
        assert not any(c.isspace() for c in token)
        assert DIVIDER not in token
        token.encode()


@given(st.text(max_size=300), st.text(max_size=300))
def test_an_index_entry_can_be_read_again(title: str, text: str) -> None:
    """One divider, single spaces, and 64 different tokens at most."""
    first, rest = (part.split() for part in indexed(title, text).split(DIVIDER))
    assert len({*first, *rest}) == len(first) + len(rest) <= TOKENS_PER_ITEM
    assert " ".join([*first, DIVIDER, *rest]) == indexed(title, text)


@given(st.lists(st.text("abc_.XY漢字ก", min_size=1, max_size=8), max_size=8))
def test_what_is_asked_is_what_is_stored(words: list[str]) -> None:
    """Each word of a text, asked alone, has only tokens that the text has, in any case."""
    stored = set(tokens(" ".join(words), ANY))
    for word in words:
        assert set(tokens(word, ANY)) <= stored
        assert tokens(word, ANY)[:1] == tokens(word.upper(), ANY)[:1]
