"""Secrets don't leave the task."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster_agent.log import MOST_CHARACTERS, MOST_PER_ENTRY, Log
from soulcaster_agent.redact import HIDDEN, Redactor

# What keys and presigned addresses are made of, and what encoders change in them.
CANARY = 'kän/ary+"42" <x>&y=z\\'
WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "path": quote,
    "segment": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "query": lambda text: urlencode({"key": text}),
    "lower case": lambda text: re.sub("%..", lambda each: each[0].lower(), quote(text)),
    "json": json.dumps,
    "json in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json": lambda text: json.dumps(json.dumps({"said": text})),
    "json with slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "json for pages": lambda text: (
        json.dumps(text).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    ),
}


@pytest.mark.parametrize(
    "secret",
    [
        "ghs_" + "a" * 36,
        "ghs_12345_eyJhbGciOi.eyJpc3Mi.c2ln-bmF0_dXJl" * 9,
        "ghp_0123456789",
        "github_pat_11ABC_def",
        "sk-proj-abcdefghijklmnop",
        "AIzaSyA-1234567890_abcdefghijklmnopqrs",
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123-abc",
        "eyJhbGciOi.eyJpc3Mi.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_key_is_hidden_whole(secret: str) -> None:
    """Nothing of it is left, whatever stands around it."""
    assert Redactor()(f'before "{secret}" after') == f'before "{HIDDEN}" after'


@pytest.mark.parametrize("before", ["\\n", "\\t", "\\u0026", "%26", "%0a", "key=", "/"])
def test_a_key_after_an_escape_is_hidden(before: str) -> None:
    """The letters of an escape are not the beginning of its word."""
    assert Redactor()(f"x{before}ghp_0123456789") == f"x{before}{HIDDEN}"


@pytest.mark.parametrize(
    "text", ["task-management-for-everyone", "the AIza prefix", "a disk-based sk-short", "ghs"]
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    """Words that only resemble a prefix stay readable."""
    assert Redactor()(text) == text


def test_known_values_are_hidden_plain_and_as_basic_authentication() -> None:
    """A token with no known prefix is hidden, also as git sends it."""
    redact = Redactor(["opaque-token", "opaque-token-and-more"])
    basic = base64.b64encode(b"x-access-token:opaque-token").decode()
    assert redact(f"opaque-token opaque-token-and-more {basic}") == " ".join([HIDDEN] * 3)


@pytest.mark.parametrize("way", WAYS)
def test_a_known_value_is_hidden_however_it_is_encoded(way: str) -> None:
    """An address in a log, a tool's arguments in a conversation: the encoded value is one too."""
    encoded = WAYS[way](CANARY)
    shown = Redactor([CANARY])(f"before {encoded} after")
    assert HIDDEN in shown
    assert [piece for piece in ("ary", "42", "y=z", "y%3Dz") if piece in shown] == []


@given(
    before=st.binary(max_size=7),
    secret=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8),
    after=st.binary(max_size=7),
    encode=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_a_known_value_is_hidden_in_base64(
    before: bytes, secret: str, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    """Whatever stands before and after it: at most a few bits at its ends stay."""
    shown = Redactor([secret])(encode(before + secret.encode() + after).decode())
    assert HIDDEN in shown
    left = shown.replace(HIDDEN, "").rstrip("=")
    assert len(left) <= -(-8 * len(before) // 6) + -(-8 * len(after) // 6) + 2


def test_a_document_stays_a_document() -> None:
    """Each text of it is redacted by itself, names as well, and nothing else is changed."""
    begun = "-----BEGIN PRIVATE KEY-----"
    given = {"a": [1, None, True, ("ghp_abc", begun)], "ghp_abc": {"b": "opaque-token"}}
    shown = Redactor(["opaque-token"]).document(given)
    assert shown == {"a": [1, None, True, [HIDDEN, HIDDEN]], HIDDEN: {"b": HIDDEN}}


def test_a_document_without_end_is_hidden_whole() -> None:
    """Nesting that can't be walked is not passed on, and breaks nothing."""
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    assert Redactor().document({"a": nested}) == HIDDEN


def test_short_values_and_empty_ones_hide_nothing() -> None:
    """A missing key must not cut holes into every word."""
    assert Redactor(["", "none"])("none of it") == "none of it"


def test_text_is_always_fit_for_utf_8() -> None:
    """Half a surrogate pair, as JSON can hold it, is replaced."""
    assert Redactor()("a\ud800b") == "a?b"


def test_an_entry_is_redacted_before_it_is_cut() -> None:
    """No first half of a secret stays at the cut."""
    log = Log(Redactor(["opaque-token"]))
    log.engine("x" * (MOST_PER_ENTRY - 6) + "opaque-token")
    assert "opaque" not in log.text()


def test_a_log_has_an_end() -> None:
    """An engine that talks for ever does not fill the memory."""
    log = Log(Redactor())
    for _ in range(MOST_CHARACTERS // MOST_PER_ENTRY + 100):
        log.engine("x" * MOST_PER_ENTRY)
    assert len(log.text()) <= MOST_CHARACTERS + 1000
