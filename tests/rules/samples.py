"""Payloads with the fields that the vendors document, and what the rules' tests start from."""

from typing import Any

from soulcaster.rules.feedback import Feedback
from soulcaster.rules.source import Source

NOW = 1_735_689_600_000  # 2025-01-01, in ms
PROJECT = "larder"


def source(kind: str, *secrets: str, **config: Any) -> Source:
    """A source of the project ``larder`` that is called after its kind."""
    return Source(
        id=f"src_{PROJECT}_{kind}",
        project=PROJECT,
        kind=kind,
        name=kind,
        secrets=secrets,
        config=config,
    )


def feedback(**given: Any) -> Feedback:
    """One item from GitHub, with what is ``given`` in place of its own."""
    fields: dict[str, Any] = {
        "project": PROJECT,
        "source": "github",
        "source_id": f"src_{PROJECT}_github",
        "channel": "acme/larder",
        "external_id": "issue:1",
        "title": "Export loses the last row",
        "body": "The CSV has one row less than the pantry.",
        "author": "ada",
        "url": "https://github.com/acme/larder/issues/1",
        "severity": None,
        "occurrences": 1,
        "created_at": NOW,
        "received_at": NOW + 5,
        "version": NOW,
    }
    return Feedback(**{**fields, **given})


def sentry_issue(**issue: Any) -> dict[str, Any]:
    """The ``issue`` webhook of Sentry's integration platform."""
    fields: dict[str, Any] = {
        "annotations": [],
        "assignedTo": None,
        "count": "7",
        "culprit": "larder.export in write_csv",
        "firstSeen": "2024-12-30T08:00:00.250000Z",
        "hasSeen": False,
        "id": "5093217",
        "isBookmarked": False,
        "isPublic": False,
        "isSubscribed": True,
        "issueCategory": "error",
        "lastSeen": "2024-12-31T09:30:00Z",
        "level": "error",
        "logger": None,
        "metadata": {"filename": "larder/export.py", "type": "KeyError", "value": "'expiry'"},
        "numComments": 0,
        "permalink": None,
        "platform": "python",
        "project": {"id": "1", "name": "Larder", "platform": "python", "slug": "larder-cli"},
        "project_url": "https://sentry.example/api/0/projects/acme/larder-cli/",
        "shareId": None,
        "shortId": "LARDER-CLI-4",
        "status": "unresolved",
        "statusDetails": {},
        "subscriptionDetails": None,
        "substatus": "new",
        "title": "KeyError: 'expiry'",
        "type": "error",
        "url": "https://sentry.example/api/0/organizations/acme/issues/5093217/",
        "userCount": 3,
        "web_url": "https://acme.sentry.example/issues/5093217/",
    }
    return {
        "action": "created",
        "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
        "data": {"issue": {**fields, **issue}},
        "installation": {"uuid": "0f1f1d35-64a5-4a8b-9bd3-dfd5b6a5a3d3"},
    }


def frame(module: str, function: str, *, in_app: bool | None = True) -> dict[str, Any]:
    """One frame of an event's stack trace."""
    return {
        "abs_path": f"/app/{module.replace('.', '/')}.py",
        "context_line": "    row['expiry']",
        "filename": f"{module.replace('.', '/')}.py",
        "function": function,
        "in_app": in_app,
        "lineno": 12,
        "module": module,
        "vars": None,
    }


def sentry_event(**event: Any) -> dict[str, Any]:
    """The ``event_alert`` webhook of Sentry's integration platform."""
    frames = [
        frame("larder.cli", "main"),
        frame("csv", "writerow", in_app=False),
        frame("larder.export", "write_csv"),
    ]
    values = [{"type": "KeyError", "value": "'expiry'", "stacktrace": {"frames": frames}}]
    fields: dict[str, Any] = {
        "contexts": {"os": {"name": "Linux", "type": "os", "version": "6.1"}},
        "culprit": "larder.export in write_csv",
        "datetime": "2024-12-31T10:00:00.500000Z",
        "dist": None,
        "event_id": "e4874d664c3540c1a32eab185f12c5ab",
        "exception": {"values": values},
        "fingerprint": ["{{ default }}"],
        "issue_id": "5093217",
        "issue_url": "https://sentry.example/api/0/issues/5093217/",
        "level": "error",
        "location": "larder/export.py",
        "logger": "",
        "message": "",
        "metadata": {"filename": "larder/export.py", "type": "KeyError", "value": "'expiry'"},
        "platform": "python",
        "project": 1,
        "received": 1735639200.6,
        "release": None,
        "tags": [["level", "error"], ["os", "Linux 6.1"]],
        "timestamp": 1735639200.5,
        "title": "KeyError: 'expiry'",
        "type": "error",
        "url": "https://sentry.example/api/0/projects/acme/larder-cli/events/e4874d66/",
        "user": {"ip_address": "203.0.113.7"},
        "version": "7",
        "web_url": "https://acme.sentry.example/issues/5093217/events/e4874d66/",
    }
    return {
        "action": "triggered",
        "actor": {"id": "sentry", "name": "Sentry", "type": "application"},
        "data": {"event": {**fields, **event}, "triggered_rule": "Anything new"},
        "installation": {"uuid": "0f1f1d35-64a5-4a8b-9bd3-dfd5b6a5a3d3"},
    }


def github_issue(action: str = "opened", **issue: Any) -> dict[str, Any]:
    """GitHub's ``issues`` webhook."""
    user = {"login": "ada", "id": 11, "type": "User", "site_admin": False}
    repository = {
        "id": 77,
        "name": "larder",
        "full_name": "acme/larder",
        "private": False,
        "owner": {"login": "acme", "id": 5, "type": "Organization"},
        "default_branch": "main",
    }
    fields: dict[str, Any] = {
        "url": "https://api.github.com/repos/acme/larder/issues/12",
        "html_url": "https://github.com/acme/larder/issues/12",
        "id": 2_200_300_400,
        "node_id": "I_kwDOabc",
        "number": 12,
        "title": "Export loses the last row",
        "user": user,
        "labels": [{"id": 1, "name": "bug", "color": "d73a4a", "default": True}],
        "state": "open",
        "state_reason": None,
        "locked": False,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": "2024-12-31T08:00:00Z",
        "updated_at": "2024-12-31T08:05:00Z",
        "closed_at": None,
        "author_association": "NONE",
        "body": "### Steps\n\n1. `larder export`\n2. Open the file",
    }
    return {
        "action": action,
        "issue": {**fields, **issue},
        "repository": repository,
        "organization": {"login": "acme", "id": 5},
        "sender": user,
        "installation": {"id": 9},
    }


def submission(**given: Any) -> dict[str, Any]:
    """A submission in the form that the Reddit edge returns."""
    fields: dict[str, Any] = {
        "id": "1hq0abc",
        "fullname": "t3_1hq0abc",
        "title": "Larder loses my last row",
        "selftext": "Anybody else?",
        "author": "pantry_person",
        "permalink": "https://www.reddit.com/r/larder/comments/1hq0abc/larder_loses/",
        "url": "https://www.reddit.com/r/larder/comments/1hq0abc/larder_loses/",
        "created_utc": 1735600000.0,
        "edited": False,
        "num_comments": 3,
        "score": 12,
        "subreddit": "larder",
        "link_flair_text": None,
    }
    return {**fields, **given}


def standard_event(kind: str = "feedback.created", **data: Any) -> dict[str, Any]:
    """An event of Standard Webhooks in the form that Soulcaster documents."""
    fields = {"id": "t-17", "title": "No undo", "text": "I deleted everything.", "source": "email"}
    return {"type": kind, "timestamp": "2024-12-31T08:00:00Z", "data": {**fields, **data}}
