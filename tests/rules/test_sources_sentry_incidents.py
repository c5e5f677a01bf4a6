"""Sentry's metric alerts, and what a team says about an issue."""

import json
from pathlib import Path
from typing import Any

import pytest

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.readings import Evidence, Settled
from soulcaster.rules.sources import sentry
from tests.rules.samples import NOW, sentry_issue, source
from tests.rules.signed import HEX_SECRET

SOURCE = source("sentry", HEX_SECRET)
INCIDENT = {"sentry-hook-resource": "metric_alert"}
COMMENT = {"sentry-hook-resource": "comment"}
SENT = {"sentry-hook-timestamp": str(NOW // 1000 - 60)}
PAYLOADS = Path(__file__).parents[1] / "payloads/sentry"


def documented(name: str, **data: Any) -> dict[str, Any]:
    """An event as Sentry documents it, with what is given in place of its own ``data``."""
    body: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())["body"]
    return {**body, "data": {**body["data"], **data}}


def read(headers: dict[str, str], payload: Any) -> Feedback:
    found = sentry.normalise(SOURCE, headers, payload, NOW)
    assert isinstance(found, Feedback)
    return found


def comment(action: str, **data: Any) -> Evidence:
    payload = documented(f"comment_{action}", **data)
    found = sentry.normalise(SOURCE, {**COMMENT, **SENT}, payload, NOW)
    assert isinstance(found, Evidence)
    return found


def test_a_documented_metric_alert_is_read() -> None:
    """An incident is one item: what it says, how bad it is, and which rule found it."""
    found = read({**INCIDENT, **SENT}, documented("metric_alert_critical"))
    assert found.external_id == "metric:4410"
    assert found.title == "Critical: Exports fail"
    assert found.body.startswith("640 events in the last 10 minutes")
    assert (found.channel, found.severity, found.occurrences) == ("larder-cli", "fatal", 1)
    assert found.url == "https://acme.sentry.example/alerts/12/"
    assert found.created_at == 1735636800_000
    assert found.version == NOW - 60_000
    assert found.details == {"rule": "Exports fail"}


@pytest.mark.parametrize(
    ("action", "severity"), [("open", "error"), ("warning", "warning"), ("critical", "fatal")]
)
def test_a_metric_alert_is_as_bad_as_it_says(action: str, severity: str) -> None:
    """The action is the severity; all of an incident's are of one item, until it is resolved."""
    found = read(INCIDENT, {**documented("metric_alert_warning"), "action": action})
    assert found.severity == severity
    resolved = documented("metric_alert_resolved")
    over = sentry.normalise(SOURCE, {**INCIDENT, **SENT}, resolved, NOW)
    assert isinstance(over, Settled)
    assert over.about == found.id
    assert over.at == NOW - 60_000


def test_a_metric_alert_may_lack_what_is_no_use() -> None:
    """Without projects and without a start it is in Sentry, since it was sent."""
    alert = documented("metric_alert_critical")["data"]["metric_alert"]
    bare = {**alert, "projects": [], "date_started": None}
    found = read({**INCIDENT, **SENT}, documented("metric_alert_critical", metric_alert=bare))
    assert (found.channel, found.created_at) == ("sentry", NOW - 60_000)


def test_a_documented_comment_is_evidence() -> None:
    """What the team says about an issue belongs to its item, and reports nothing."""
    found = comment("created")
    assert found.about == read({"sentry-hook-resource": "issue"}, sentry_issue()).id
    assert (found.project, found.id, found.author) == (SOURCE.project, "1234", "Ada Kwon")
    assert found.body == "Rows without an expiry date cause it."
    assert (found.at, found.received_at) == (1735638044118, NOW)
    assert not found.reports
    assert not found.gone


def test_a_comment_may_change_and_go() -> None:
    """It stays one comment; deleted, nothing of its text is kept, and that is the last of it,
    even where all of it was sent within a second.
    """
    made, changed, gone = comment("created"), comment("updated"), comment("deleted")
    assert made.id == changed.id == gone.id
    assert made.version < changed.version < gone.version < NOW - 59_000
    assert (gone.gone, gone.body) == (True, "")
    assert changed.body.endswith("since 2.4.0.")


@pytest.mark.parametrize(
    ("headers", "name"), [(INCIDENT, "metric_alert_critical"), (COMMENT, "comment_created")]
)
def test_other_actions_are_no_news(headers: dict[str, str], name: str) -> None:
    """What Sentry may add to alerts and comments is ignored with a reason."""
    found = sentry.normalise(SOURCE, headers, {**documented(name), "action": "pinned"}, NOW)
    assert isinstance(found, str)
    assert "pinned" in found


@pytest.mark.parametrize(
    ("headers", "payload", "field"),
    [
        (INCIDENT, {}, "action"),
        (INCIDENT, documented("metric_alert_resolved", metric_alert={}), "data.metric_alert.id"),
        (
            INCIDENT,
            documented("metric_alert_critical", metric_alert={"id": "1"}),
            "data.metric_alert.alert_rule.name",
        ),
        (
            INCIDENT,
            documented("metric_alert_critical", description_title=5),
            "data.description_title",
        ),
        (COMMENT, documented("comment_created", issue_id=None), "data.issue_id"),
        (COMMENT, documented("comment_created", comment_id=[]), "data.comment_id"),
        (COMMENT, documented("comment_created", comment=None), "data.comment"),
        (COMMENT, documented("comment_deleted", timestamp="now"), "data.timestamp"),
    ],
)
def test_the_field_at_fault_is_named(headers: dict[str, str], payload: Any, field: str) -> None:
    """What the documentation promises and the payload lacks is named in Sentry's words."""
    with pytest.raises(Unreadable) as caught:
        sentry.normalise(SOURCE, headers, payload, NOW)
    assert caught.value.field == field
