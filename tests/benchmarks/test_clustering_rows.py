"""A labelled row becomes what the product would have after its source had sent it."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.clustering.rows import RECEIVED, load
from local.demo import senders
from local.demo.feedback_file import read
from local.github import shapes
from local.parts import ROOT
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.text_kind import kind_of
from tests.rules import samples

SAMPLE = ROOT / "sample/feedback.jsonl"
DATA = Path(os.environ.get("SOULCASTER_DATA", ROOT.parent / "shared/data")) / "grouping"
SETS = ("hint3_sofmattress", "jira_hadoop", "gitbugs_hadoop", "logs_server")


def normalised(kind: str, headers: dict[str, str], payload: Any) -> Feedback:
    """What the source's own normaliser makes of a payload."""
    found = KINDS[kind].normalise(samples.source(kind), headers, payload, RECEIVED)
    assert isinstance(found, Feedback), found
    return found


def sent(row: dict[str, Any]) -> Feedback:
    """A row through the signed webhook that the demo sends of it."""
    kind = row["source"] if row["source"] in senders.SENT else "standard"
    body, headers = senders.SENT[kind](row, "whsec_c2VjcmV0")
    return normalised(kind, headers, json.loads(body))


def opened(row: dict[str, Any]) -> Feedback:
    """A row as an issue, in the words that the local GitHub sends."""
    at = row["created_at"]
    issue = {
        "id": 5,
        "number": 7,
        "is_pull": False,
        "title": row["title"],
        "body": row["text"],
        "author": row["author"],
        "labels": "[]",
        "state": "open",
        "state_reason": None,
        "created_at": at,
        "updated_at": at,
        "closed_at": None,
        "comments": 0,
    }
    where = {"full_name": "acme/larder", "owner": {"login": "acme"}}
    payload = {
        "action": "opened",
        "issue": shapes.issue("http://github", where, issue),  # type: ignore[arg-type]
        "repository": where,
    }
    return normalised("github", {"x-github-event": "issues"}, payload)


def submitted(row: dict[str, Any]) -> Feedback:
    """A row as a submission that the poller has read."""
    given = {"title": row["title"], "selftext": row["text"], "subreddit": "larder"}
    return normalised("reddit", {}, samples.submission(**given))


def seen(item: Any) -> tuple[Any, ...]:
    """What the clustering can see of an item."""
    return item.source, item.channel, item.title, item.text, item.severity


def test_every_row_of_the_sample_is_as_its_source_sends_it() -> None:
    """Sentry, GitHub, Reddit and Standard Webhooks: source, title and text equal Feedback's."""
    ways = {"github": opened, "reddit": submitted}
    expected = [ways.get(row["source"], sent)(row) for row in read(SAMPLE)]
    rows = load(SAMPLE)
    assert [seen(row) for row in rows] == [seen(item) for item in expected]
    assert {row.source for row in rows} == {"sentry", "github", "reddit", "standard"}


@pytest.mark.parametrize("name", SETS)
def test_rows_of_real_sets_are_as_the_demo_sends_them(name: str) -> None:
    """Untitled rows, empty texts and dates of exports included; times are equal too."""
    file = DATA / f"{name}.jsonl.gz"
    if not file.exists():
        pytest.skip(f"{file} is missing; SOULCASTER_DATA names its folder")
    expected = [sent(row) for row in read(file)]
    rows = load(file)
    assert [(*seen(row), row.created_at) for row in rows] == [
        (*seen(item), item.created_at) for item in expected
    ]
    assert {row.source for row in rows} == {"standard"}


def test_a_trace_that_is_text_only_keeps_its_words(tmp_path: Path) -> None:
    """Sentry sends an event without an exception as a message, and it is an error all the same."""
    trace = "java.io.IOException: no space\n  at org.example.Disk.write(Disk.java:12)"
    file = write(tmp_path, {"title": "java.io.IOException", "text": trace, "source": "sentry"})
    (row,) = load(file)
    event = samples.sentry_event(
        title="java.io.IOException", message=trace, culprit=None, exception={"values": []}, url=None
    )
    item = normalised("sentry", {"sentry-hook-resource": "event_alert"}, event)
    assert seen(row) == seen(item)
    assert "org.example.Disk.write" in row.text
    assert kind_of(row.source, row.channel, row.text) == "error"


@pytest.mark.parametrize("source", ["sentry", "github", "reddit", "jira", None])
def test_a_row_without_title_and_time_gets_in(tmp_path: Path, source: str | None) -> None:
    """Its title is the text's first line, and its time the same in every run."""
    (row,) = load(write(tmp_path, {"title": None, "text": "first\nsecond", "source": source}))
    assert row.title == "first"
    assert row.text.endswith("second")
    assert row.created_at == RECEIVED


def test_labels_and_kind_are_the_files(tmp_path: Path) -> None:
    """An id or a label that is a number is one in name only."""
    (row,) = load(write(tmp_path, {"id": 7, "text": "a", "label": 3, "kind": "bugs"}))
    assert (row.id, row.label, row.kind) == ("7", "3", "bugs")


def test_the_samples_noise_belongs_to_nothing() -> None:
    """Its bugs and wishes are groups; items about no problem are each alone."""
    labels = [row.label for row in load(SAMPLE)]
    assert labels.count("a") == 38
    assert labels.count("wish-sharing") == 8
    loners = [label for label in labels if label.startswith(("noise", "hostile"))]
    assert len(loners) == len(set(loners)) == 37


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "a", "label": None}, "row 'one' has no label"),
        ({"text": " ", "title": "", "label": "x"}, "row 'one' would be refused: data.title"),
        ({"text": ["a"], "label": "x"}, "row 'one' would be refused: data.text"),
    ],
)
def test_a_row_that_can_not_be_measured_is_named(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    """No row is left out silently: scores are over all of them."""
    with pytest.raises(ValueError, match=said):
        load(write(tmp_path, given))


def write(folder: Path, row: dict[str, Any]) -> Path:
    """A set of one row."""
    file = folder / "set.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps({"id": "one", "label": "x", **row}).encode()))
    return file
