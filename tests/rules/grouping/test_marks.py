"""What the words of a text leave behind."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.grouping.lens import KINDS
from soulcaster.rules.grouping.marks import (
    DIMENSIONS,
    TEXT_CHARS,
    identifiers,
    marks,
    masked,
    packed,
    unpacked,
)
from soulcaster.rules.grouping.points import Array
from soulcaster.rules.text_kind import Kind
from tests.rules.grouping.made import seeds, several

TEXTS = st.text(max_size=200)
ANY_KIND = st.sampled_from(KINDS)
# What takes a careless pattern the square of its length.
HOSTILE = {
    "one word": "a" * 60_000,
    "camels": "aA" * 30_000,
    "snake": "a_" * 30_000,
    "dots": "a." * 30_000,
    "digits": "1" * 60_000,
    "hexadecimal": "abcdef01" * 7_500,
    "open brackets": "(" * 59_999 + "1",
    "frames": "(a:" * 20_000 + "1",
    "frames in one word": "1(:1" * 15_000,
    "calls": "a.b(" * 15_000 + "1",
    "capitals": "AA-" * 20_000,
    "lines": "1\n" * 30_000,
}
JAVA = """java.io.IOException: Broken pipe
    at org.shop.cart.Cart$2.save(Cart.java:{0})
    at org.shop.web.Servlet.<init>(Servlet.java:{1})"""
PYTHON = """KeyError: 'expiry'
  File "/srv/shop/export.py", line {0}, in write_csv
  File "/srv/shop/cart.py", line {1}, in save"""
LOG = "{0} WARN [worker-{1}] host{1}.example:{0} lost block blk_{0} of 0x{0}f after {1}ms"


def cosine(one: Array, other: Array) -> float:
    return float(one @ other)


@several
@given(TEXTS, TEXTS, ANY_KIND)
@example("\ud800", "half of a pair: \ud800", "report")
@example("", "\udfff", "error")
def test_any_text_has_marks(title: str, text: str, kind: Kind) -> None:
    """Of unit length or, without words, all zero; also half of a pair of surrogates."""
    found = marks(title, text, kind)
    assert found.shape == (DIMENSIONS,)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1 if found.any() else 0, abs=1e-5)
    assert np.array_equal(found, marks(title, text, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_no_words_have_no_marks(kind: Kind) -> None:
    """Neither nothing nor spaces say anything."""
    for text in ("", " \n\t\u3000"):
        assert not marks(text, text, kind).any()


@several
@given(TEXTS, ANY_KIND)
def test_packed_marks_are_nearly_the_same(text: str, kind: Kind) -> None:
    """Each to a half of the 127th part of the largest, before it is brought to unit length."""
    found = marks(text, text, kind)
    kept = packed(found)
    assert len(kept) == 684
    read = unpacked(kept)
    assert read.shape == (DIMENSIONS,)
    assert read.dtype == np.float32
    peak = float(np.abs(found).max())
    scale = float(np.abs(read).max()) / peak if peak else 1.0
    assert np.abs(read - found * scale).max() <= peak * scale / 254 + 1e-6
    assert cosine(read, found) == pytest.approx(1 if peak else 0, abs=0.01)
    assert packed(read) == kept


@several
@given(seeds)
def test_packing_holds_for_any_direction(seed: int) -> None:
    """Not only for those that texts have."""
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    vector /= np.linalg.norm(vector)
    assert cosine(unpacked(packed(vector)), vector) > 0.999


@several
@given(*[st.integers(0, 10**9)] * 4)
def test_numbers_hosts_and_ids_leave_no_marks(a: int, b: int, c: int, d: int) -> None:
    """What differs from event to event; in frames the lines do, the names don't."""
    for text in (LOG, JAVA, PYTHON):
        one, other = text.format(a, b), text.format(c, d)
        assert masked(one) == masked(other)
        assert np.array_equal(marks(one, one, "error"), marks(other, other, "error"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("took 12ms on node-7", "took # on #"),
        ("at a.b.Cart$2.save(Cart.java:12)", "at a.b.Cart$0.save(Cart.java:0)"),
        ("at a.b.run2(Native Method)", "at a.b.run0(Native Method)"),
        ("  two\n lines ", "two lines"),
        ("no digits, no change", "no digits, no change"),
    ],
)
def test_what_masking_leaves(text: str, left: str) -> None:
    """A word with a digit is any such word; a frame keeps its names."""
    assert masked(text) == left


@pytest.mark.parametrize("kind", KINDS)
def test_like_texts_have_like_marks(kind: Kind) -> None:
    """More than unlike ones, and equal ones are equal."""
    one = marks("CSV export", "The export to CSV loses the last row of the table", kind)
    like = marks("Export of CSV", "When exporting to CSV, the last row is lost", kind)
    other = marks("Dark theme", "Please give us a dark mode for the evening", kind)
    assert cosine(one, like) > cosine(one, other) + 0.2
    assert abs(cosine(one, other)) < 0.2


def test_unrelated_texts_are_at_right_angles() -> None:
    """The mean cosine of texts without a word in common is near 0: signs even out."""
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("bcdfghklmnprst"), 8)) for _ in range(400)]
    rows = np.array([marks("", " ".join(words[i : i + 10]), "short") for i in range(0, 400, 10)])
    seen = (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]
    assert abs(seen.mean()) < 0.02
    assert np.abs(seen).max() < 0.3


def test_a_persons_title_counts_once_more() -> None:
    """A report's is in its marks beside the body; a machine's is its first line."""
    one, other = (marks(title, "The body says it all", "report") for title in ("Dark", "Export"))
    assert cosine(one, other) < 0.9
    # A title has one half of the marks, however short it is beside its body.
    bodies = ("Every export of the table ends too early. " * 9, "Mein Bild ist ganz dunkel! " * 9)
    one, other = (marks("Upload fails", body, "report") for body in bodies)
    assert cosine(one, other) == pytest.approx(0.5, abs=0.15)
    one, other = (marks(title, "The body says it all", "error") for title in ("Dark", "Export"))
    assert np.array_equal(one, other)


def test_a_name_is_its_words() -> None:
    """With humps or apart, in capitals or not."""
    one, other = marks("", "writeCsv fails", "short"), marks("", "Write CSV fails", "short")
    assert cosine(one, other) > 0.8


def test_the_beginning_counts() -> None:
    """As much as is embedded, and no more."""
    text = "word " * (TEXT_CHARS // 5)
    assert np.array_equal(marks("", text, "short"), marks("", text + "other", "short"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_sixty_thousand_hostile_characters_are_read(kind: Kind, name: str) -> None:
    """In time for the test to end, as titles and as texts."""
    text = HOSTILE[name]
    for _ in range(50):
        assert marks(text, text, kind).shape == (DIMENSIONS,)
        assert len(identifiers(text)) <= 40


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HDFS-1234: FSNamesystem.close hangs", ("HDFS-1234", "FSNamesystem.close")),
        ("call writeCsv, then writeCsv again", ("writeCsv",)),
        ("in src/larder/export.py", ("src/larder/export.py",)),
        ("std::vector of a-b", ("std::vector",)),
        ("an API of IO", ()),
        ("nothing to see here", ()),
        ("x3writeCsv _privateName $scope.name", ("x3writeCsv", "_privateName", "$scope.name")),
    ],
)
def test_names_of_code(text: str, found: tuple[str, ...]) -> None:
    """Dotted, with humps or in capitals, each once, of more than three letters."""
    assert identifiers(text) == found


@several
@given(TEXTS, st.integers(0, 5))
def test_names_are_of_the_text(text: str, limit: int) -> None:
    """They are in it as they stand, and no more than asked for."""
    found = identifiers(text, limit)
    assert len(found) <= limit
    assert len(set(found)) == len(found)
    assert all(name in text for name in found)
