"""The normal form of feedback."""

import json

from tests.rules.samples import feedback


def test_equal_content_is_equal_text() -> None:
    """The stored document depends on the values alone, and holds them all."""
    one, other = feedback(details={"a": 1, "b": 2}), feedback(details={"b": 2, "a": 1})
    assert one.document == other.document
    assert json.loads(one.document)["details"] == {"a": 1, "b": 2}
    assert one.id == other.id


def test_only_words_are_embedded_again() -> None:
    """The hash of the text changes with title and body, and with nothing else."""
    same = feedback(occurrences=9, version=9, open=False, body="<!-- x -->" + feedback().body)
    assert same.text_hash == feedback().text_hash
    assert feedback(title="Other").text_hash != feedback().text_hash


def test_vendors_ids_hold_across_sources() -> None:
    """One issue of a vendor is one item in all sources; a custom source's ids are its own."""
    assert feedback(source_id="src_larder_other").id == feedback().id
    one = feedback(source="standard", source_id="src_larder_a")
    assert one.id != feedback(source="standard", source_id="src_larder_b").id
    assert one.id != feedback(project="other", source="standard", source_id="src_larder_a").id
