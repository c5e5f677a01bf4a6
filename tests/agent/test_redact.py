"""Secrets don't leave the task."""

import base64

import pytest

from soulcaster_agent.log import MOST_CHARACTERS, MOST_PER_ENTRY, Log
from soulcaster_agent.redact import HIDDEN, Redactor


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
