import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules.page import decode_cursor, encode_cursor

scores = st.integers(-(10**15), 10**15).map(str) | st.from_regex(
    r"-?[0-9]{1,9}\.[0-9]{1,9}", fullmatch=True
)


@given(scores, st.text(min_size=1))
def test_a_cursor_comes_back(score: str, identifier: str) -> None:
    """Position to cursor to position; the cursor can stand in an address as it is."""
    position = f"{score}:{identifier}"
    cursor = encode_cursor(position)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor) == position


def test_no_cursor_is_the_beginning() -> None:
    """None and the empty text mean the first page."""
    assert decode_cursor(None) == decode_cursor("") == ""


@pytest.mark.parametrize(
    "position",
    [
        *("x", ":", "5", "5:", ":a", "a:b", "nan:a", "inf:a", "1e5:a", "--5:a", "5.:a", ".5:a"),
        *("1_0:a", " 5:a", "(5:a", "٣:a", "+5:a", "-:a", "0x5:a", "9" * 99 + ":a", "5\n:a"),
    ],
)
def test_a_forged_position_is_refused(position: str) -> None:
    """A position that Redis would not take as a score and a name is refused beforehand."""
    with pytest.raises(ValueError, match="cursor: is none of ours"):
        decode_cursor(encode_cursor(position))


@pytest.mark.parametrize("cursor", ["a", "!!!", "é", "====", "\0", " ", "NTph\n!", "_", "-" * 7])
def test_garbage_is_refused(cursor: str) -> None:
    """What is no base64 at all is refused, and the field is named."""
    with pytest.raises(ValueError, match="cursor: is none of ours"):
        decode_cursor(cursor)


@given(st.text(st.characters()) | st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_any_text_is_a_position_or_refused(cursor: str) -> None:
    """No text ends in another error."""
    with suppress(ValueError):
        position = decode_cursor(cursor)
        assert position == "" or ":" in position
