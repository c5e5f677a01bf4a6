"""The shape of keys, invitations and the owner's text."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulcaster.rules import api_key
from soulcaster.rules.ids import PROJECT

PROJECTS = st.from_regex(PROJECT, fullmatch=True)
PREFIXES = {api_key.PREFIX: "key", api_key.INVITATION: "inv"}
# So that a change of the shape is seen: texts like this one are out there.
KNOWN = "sck_larder_3f9ac2d1_" + "0123456789abcdefghijABCDEFGHIJ0123456789" + "259bm9"


@given(PROJECTS, st.sampled_from(sorted(PREFIXES)))
def test_a_text_says_its_project_and_its_id(project: str, prefix: str) -> None:
    """Of every project, and only by its own prefix."""
    identifier = api_key.new_id(project, prefix)
    assert re.fullmatch(rf"{PREFIXES[prefix]}_{project}_[0-9a-f]{{8}}", identifier)
    text = api_key.new_key(identifier, prefix)
    assert text.startswith(f"{prefix}_{project}_")
    for other in PREFIXES:
        found = api_key.parse(text, other)
        assert found == (api_key.Parts(project, identifier) if other == prefix else None)


def test_a_text_that_was_handed_out_stays_one() -> None:
    """Whatever becomes of this code."""
    assert api_key.parse(KNOWN) == api_key.Parts("larder", "key_larder_3f9ac2d1")


@given(st.data())
def test_a_slip_of_the_pen_is_seen(data: st.DataObject) -> None:
    """Without a look-up: any one character changed, dropped or doubled."""
    text = api_key.new_key(api_key.new_id("larder"))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0aZ_-é \n").filter(lambda one: one != text[at]))
    changed = (text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :])
    for wrong in (*changed, text[:at] + text[at] + text[at:]):
        assert api_key.parse(wrong) is None


@given(st.text())
def test_what_is_no_key_is_none(text: str) -> None:
    """And is no reason to fail."""
    assert api_key.parse(text) is None
    assert api_key.parse(f"sck_larder_{text}") is None


def test_no_two_are_alike() -> None:
    """The secret part has more than 200 bits, all of them by chance."""
    texts = {api_key.new_key("key_larder_3f9ac2d1") for _ in range(200)}
    owners = {api_key.new_owner_token() for _ in range(200)}
    assert len(texts) == len(owners) == 200
    assert all(text.startswith("sco_") and api_key.parse(text) is None for text in owners)
    assert 62**api_key.SECRET_CHARS > 2**200
    for place in range(api_key.SECRET_CHARS):
        assert len({text.split("_")[-1][place] for text in texts}) > 20


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("key_larder_3f9ac2d1", True),
        ("key_other_3f9ac2d1", False),
        ("key_larder_3f9ac2d", False),
        ("key_larder_3f9ac2d1\n", False),
        ("key_larder_3F9AC2D1", False),
        ("inv_larder_3f9ac2d1", False),
        ("key_larder_x_3f9ac2d1", False),
        ("", False),
    ],
)
def test_an_id_belongs_to_its_project(text: str, good: bool) -> None:
    """And to its kind."""
    assert api_key.is_id(text, "larder") is good


def test_what_is_kept_is_worth_nothing_without_the_pepper() -> None:
    """It is another with another pepper, and no plain hash of the text."""
    kept = api_key.mac("pepper", KNOWN)
    assert re.fullmatch("[0-9a-f]{64}", kept)
    assert kept == api_key.mac("pepper", KNOWN)
    assert kept != api_key.mac("peppes", KNOWN)
    assert kept != hashlib.sha256(KNOWN.encode()).hexdigest()
    assert kept != api_key.mac("pepper", KNOWN[:-1])
