import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soulcaster.rules.patch import ChangedFile, Patch
from soulcaster.rules.pull_request import (
    commit_message,
    neutral,
    pull_request_body,
    pull_request_title,
)

CLUSTER = {"name": "Called otherwise by now", "summary": "The CSV lacks one row."}
JOB = {"id": "job_larder_00ff", "attempt": "2", "title": "Export loses the last row"}
PATCH = Patch(
    "4f2a" * 10,
    "The loop ended early.",
    (ChangedFile("larder/export.py", "100644", "x"), ChangedFile("old.py", "100644", None)),
)
# What GitHub makes a mention, a reference or a link of, wherever it stands in a text.
SPECIAL = re.compile(
    r"(?i)@\w|#\d|(?<![A-Z0-9])(?:gh-\d|https?:|ftp:|mailto:|www\.\w)|[<>`*\[\]~|]|&[#\w]+;"
    r"|(?<!\w)_|_(?!\w)|\\(?![A-Z0-9])"
)


def item(**given_fields: Any) -> dict[str, Any]:
    fields = {"title": "No last row", "channel": "r/larder", "url": "https://r.example/1"}
    return {**fields, **given_fields}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thanks @octocat!", "thanks @\u200boctocat"),
        ("@acme/owners", "@\u200bacme/owners"),
        ("fixes #12", "fixes #\u200b12"),
        ("closes acme/larder#12", "closes acme/larder#\u200b12"),
        ("resolves GH-12", "resolves GH-\u200b12"),
        ("closes https://github.com/acme/larder/issues/12", "closes https //github.com"),
        ("see www.evil.example", "see www.\u200bevil.example"),
        ("[click](https://evil.example)", "click"),
        ("![pixel](https://evil.example/p.png)", "pixel"),
        ("<img src=https://evil.example/p.png>", ""),
        ("a <!-- hidden --> b", "a b"),
        ("# Heading\n\n- [ ] box", "Heading - box"),
        ("`code` *bold* _under_ ~~gone~~", "code bold under gone"),
        ("&amp;#64;octocat", "&\u200b#\u200b64;octocat"),
        ("&#64;octocat", "@\u200boctocat"),
        ("&commat;octocat", "@\u200boctocat"),
        ("mail ada@larder.example", "mail ada@\u200blarder.example"),
        ("snake_case and C:\\temp", "snake_case and C:\\temp"),
        ("a_https://evil.example", "a_https //evil.example"),
        ("éhttps://evil.example", "éhttps //evil.example"),
        ("a_www.evil.example", "a_www.\u200bevil.example"),
        ("__really__", "really"),
        ("R&D for 3 < 4", "R&\u200bD for 3 4"),
    ],
)
def test_quoted_words_do_nothing(text: str, shown: str) -> None:
    """Mentions, references, closing keywords, links, images and markup are only words."""
    assert " ".join(neutral(text, 200).split()).startswith(shown)


@given(
    st.text(st.characters() | st.sampled_from("@#&;:/.<>[]()!*_`\n wWgGhH1a-")), st.integers(1, 80)
)
@example("a\n@b", 80)
@example("&am&amp;p;#64;x", 80)
@example("@@a ##1 &&amp;amp;lt;", 80)
@example("w\u200bww.a", 80)
@example("[@](x)ada", 80)
@example("__a__", 80)
@example("a_https://b", 80)
@example("h*ttps://a.example", 80)
def test_no_text_does_anything(text: str, limit: int) -> None:
    """Whatever is quoted, GitHub finds no mention, reference, link or markup in it."""
    shown = neutral(text, limit)
    assert not SPECIAL.search(shown), shown
    assert "\n" not in shown


def test_a_title_says_what_was_reported() -> None:
    """What the cluster was called when the agent began, neutral and short; or something."""
    assert pull_request_title(JOB) == "Fix: Export loses the last row"
    assert pull_request_title({}) == "Fix: a reported problem"
    assert len(pull_request_title({"title": "@" * 500 + "a" * 500})) < 300


def test_a_commit_names_its_job() -> None:
    """Title, what was done and the job, each in its own paragraph; no trailer can be added."""
    summary = "Done.\n\nCo-authored-by: Evil <evil@evil.example>"
    message = commit_message(JOB, Patch(PATCH.base, summary, PATCH.files))
    title, body, trailer = message.split("\n\n")
    assert title == "Fix: Export loses the last row"
    assert body.startswith("Done. Co-authored-by: Evil")
    assert trailer == "Soulcaster-Job: job_larder_00ff\n"
    assert "No summary" in commit_message(JOB, Patch(PATCH.base, "", PATCH.files))


def test_a_body_holds_the_evidence() -> None:
    """What was reported, what was changed, every file, every report and how many there are."""
    body = pull_request_body(CLUSTER, JOB, PATCH, [item(), item(title="Row gone", url=None)], 5)
    assert "The CSV lacks one row." in body
    assert "The loop ended early." in body
    assert "- `larder/export.py`\n- `old.py` (deleted)\n" in body
    assert "### Evidence: 5 reports" in body
    assert "- r/larder: “No last row” `https://r.example/1`\n" in body
    assert "- r/larder: “Row gone”\n" in body
    assert "- and 3 more" in body
    assert body.endswith("Job `job_larder_00ff`, attempt 2.\n")


def test_one_report_is_one() -> None:
    """The words fit the number."""
    body = pull_request_body(CLUSTER, JOB, PATCH, [item()], 1)
    assert "### Evidence: 1 report\n" in body
    assert "more" not in body


def test_hostile_reports_stay_words() -> None:
    """Title, channel, name, summary and the agent's own words are all neutral; addresses stand in
    code marks, or not at all.
    """
    attack = "@octocat fixes #1 <script> `x` https://evil.example"
    hostile = item(title=attack, channel=attack, url="https://a.example/`@octocat")
    patch = Patch(PATCH.base, attack, PATCH.files)
    body = pull_request_body({"name": attack, "summary": attack}, JOB, patch, [hostile], 1)
    assert "@octocat" not in body
    assert "#1" not in body
    assert "<script" not in body
    assert "https://" not in body
