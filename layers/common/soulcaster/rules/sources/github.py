"""GitHub's webhooks: issues are feedback, comments evidence; pull requests and checks are news.

Issues and comments that are fetched from its REST API are read here, too: they are put into the
webhooks' form before.

Source: GitHub's documentation, "Webhook events and payloads" and "Validating webhook
deliveries".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from soulcaster.rules import ids
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.payload import (
    Unreadable,
    link,
    member,
    milliseconds,
    no_more_than,
    optional,
    title_and_body,
)
from soulcaster.rules.project import REPOSITORY
from soulcaster.rules.pull_news import CheckNews, Checks, PullNews, PullState
from soulcaster.rules.readings import Evidence, Moved, Reading, Withdrawn
from soulcaster.rules.source import Source, any_equal
from soulcaster.rules.text import BODY_CHARS, clean

HEADERS = ("x-github-event", "x-hub-signature-256")
LABEL = "GitHub"
SIGNING: Final = "made"
PROGRAM: Final = None
_FOLLOWED = ("opened", "edited", "closed", "reopened")
# In the order in which they can happen to one comment: two of them may be in the same second.
_COMMENT_ACTIONS = ("created", "edited", "deleted")
# Who answers for the repository: what they say about an issue is no further report of it.
_MAINTAINERS = ("OWNER", "MEMBER", "COLLABORATOR")
# What happens to a pull request, in words that fit behind "pull request #7 was".
_PULL_ACTIONS = {
    "closed": "closed",
    "reopened": "reopened",
    "ready_for_review": "marked as ready for review",
    "converted_to_draft": "made a draft again",
    "synchronize": "given other commits",
}
# How a suite of checks ends; "action_required" waits for a person.
_CONCLUSIONS: dict[str, Checks] = {
    **dict.fromkeys(("success", "neutral", "skipped"), "passing"),
    **dict.fromkeys(("failure", "timed_out", "cancelled", "startup_failure", "stale"), "failing"),
    "action_required": "pending",
}
_MOST_PULLS = 50
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def configure(config: Mapping[str, Any]) -> dict[str, Any]:
    """``poll``: whether issues that no webhook told of are fetched; ``repository``, if it isn't the
    project's.
    """
    no_more_than(config, "poll", "repository")
    repository = optional(config, "repository", str) or ""
    if repository and not REPOSITORY.fullmatch(repository):
        raise Unreadable("config.repository", "is no owner/name")
    return {"poll": config.get("poll") is True, "repository": repository}


def polled(config: Mapping[str, Any]) -> bool:
    """Where it is asked for."""
    return config.get("poll") is True


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> bool:
    """``sha256=`` and the HMAC-SHA256 of the body in hex."""
    del now  # GitHub signs no time
    given = headers.get("x-hub-signature-256", "")
    return any_equal(
        given,
        ("sha256=" + hmac.new(s.encode(), body, hashlib.sha256).hexdigest() for s in secrets),
    )


def normalise(
    source: Source, headers: Mapping[str, str], payload: Any, received_at: int
) -> Reading | tuple[Reading, ...] | str:
    """What became of an issue, of a comment on it, of a pull request or of its checks."""
    event = headers.get("x-github-event", "")
    if event == "issues":
        return _issue_event(source, payload, received_at)
    if event == "issue_comment":
        return _comment_event(source, payload, received_at)
    if event == "pull_request":
        return _pull_news(source, payload, received_at)
    if event == "check_suite":
        return _check_news(source, payload, received_at)
    return f"GitHub's event {event or '(none)'} is not feedback"


def _issue_event(
    source: Source, payload: Any, received_at: int
) -> Reading | tuple[Reading, ...] | str:
    action = member(payload, "action", str)
    issue = member(payload, "issue", dict)
    if issue.get("pull_request"):
        return "a pull request is not feedback"
    if action == "deleted":
        return Withdrawn(
            project=source.project, about=_feedback_id(source, issue), received_at=received_at
        )
    if action == "transferred":
        new = member(payload, "changes.new_issue", dict)
        repository = member(payload, "changes.new_repository.full_name", str)
        return _moved(source, issue, new, repository, received_at)
    if action not in _FOLLOWED:
        return f"an issue that was {action} is not news"
    repository = member(payload, "repository.full_name", str)
    old = optional(payload, "changes.old_issue", dict) if action == "opened" else None
    if old:
        return _moved(source, old, issue, repository, received_at)
    return _issue(source, issue, repository, received_at)


def _issue(source: Source, issue: dict[str, Any], repository: str, received_at: int) -> Feedback:
    title, body = title_and_body(
        member(issue, "title", str), optional(issue, "body", str) or "", "issue.title"
    )
    labels = [
        str(label.get("name"))[:50]
        for label in optional(issue, "labels", list) or ()
        if isinstance(label, dict)
    ]
    return Feedback(
        project=source.project,
        source="github",
        source_id=source.id,
        channel=repository[:200],
        external_id=_external_id(issue),
        title=title,
        body=body,
        author=optional(issue, "user.login", str),
        url=link(issue.get("html_url")),
        severity=None,
        occurrences=1,
        created_at=milliseconds(member(issue, "created_at", str), "issue.created_at"),
        received_at=received_at,
        version=milliseconds(member(issue, "updated_at", str), "issue.updated_at"),
        open=issue.get("state") != "closed",
        details={"number": member(issue, "number", int), "labels": labels[:20]},
    )


def _moved(
    source: Source, old: dict[str, Any], new: dict[str, Any], repository: str, received_at: int
) -> tuple[Reading, ...]:
    """An issue that was transferred: GitHub gives it another id, and here it stays the same item.

    Both repositories tell of it, in no certain order, and the new issue's text may not be there
    yet when they do.
    """
    found = _issue(
        source, {**new, "body": new.get("body") or old.get("body")}, repository, received_at
    )
    before = milliseconds(member(old, "updated_at", str), "old_issue.updated_at")
    kept = replace(found, external_id=_external_id(old), version=max(found.version, before))
    if kept.id == found.id:
        return (found,)
    return (
        Moved(project=source.project, about=kept.id, to=found.id, received_at=received_at),
        kept,
    )


def _comment_event(source: Source, payload: Any, received_at: int) -> tuple[Reading, ...] | str:
    action = member(payload, "action", str)
    if action not in _COMMENT_ACTIONS:
        return f"a comment that was {action} is not news"
    issue = member(payload, "issue", dict)
    comment = member(payload, "comment", dict)
    if issue.get("pull_request"):
        return "a comment on a pull request is not feedback"
    if optional(comment, "user.type", str) == "Bot":
        return "what a bot says is not feedback"
    item = _issue(source, issue, member(payload, "repository.full_name", str), received_at)
    author = optional(comment, "user.login", str)
    gone = action == "deleted"
    updated = milliseconds(member(comment, "updated_at", str), "comment.updated_at")
    return item, Evidence(
        project=source.project,
        about=item.id,
        id=f"comment:{member(comment, 'id', int)}",
        author=author,
        body="" if gone else clean(member(comment, "body", str), BODY_CHARS),
        url=link(comment.get("html_url")),
        at=milliseconds(member(comment, "created_at", str), "comment.created_at"),
        version=updated + _COMMENT_ACTIONS.index(action),
        received_at=received_at,
        reports=author not in (None, item.author)
        and comment.get("author_association") not in _MAINTAINERS,
        gone=gone,
    )


def _external_id(issue: dict[str, Any]) -> str:
    # Its number is unique in its repository alone; its id, in all of GitHub.
    return f"issue:{member(issue, 'id', int)}"


def _feedback_id(source: Source, issue: dict[str, Any]) -> str:
    return ids.feedback_id(source.project, "github", _external_id(issue))


def _pull_news(source: Source, payload: Any, received_at: int) -> PullNews | str:
    action = member(payload, "action", str)
    if action not in _PULL_ACTIONS:
        return f"a pull request that was {action} is not news"
    pull = member(payload, "pull_request", dict)
    state: PullState = "open" if member(pull, "state", str) != "closed" else "closed"
    if state == "closed" and pull.get("merged") is True:
        state = "merged"
    return PullNews(
        project=source.project,
        repository=_repository(payload),
        number=_number(pull, "number"),
        what="merged" if action == "closed" and state == "merged" else _PULL_ACTIONS[action],
        state=state,
        draft=pull.get("draft") is True,
        head=_commit(pull, "head.sha"),
        at=milliseconds(member(pull, "updated_at", str), "pull_request.updated_at"),
        received_at=received_at,
    )


def _check_news(source: Source, payload: Any, received_at: int) -> CheckNews | str:
    action = member(payload, "action", str)
    if action != "completed":
        return f"checks that were {action} are not news"
    suite = member(payload, "check_suite", dict)
    conclusion = member(suite, "conclusion", str)
    if conclusion not in _CONCLUSIONS:
        raise Unreadable("check_suite.conclusion", "is none that GitHub documents")
    numbers = [_number(pull, "number") for pull in optional(suite, "pull_requests", list) or ()]
    if not numbers:
        return "checks of no pull request are not news"
    return CheckNews(
        project=source.project,
        repository=_repository(payload),
        numbers=tuple(sorted(set(numbers)))[:_MOST_PULLS],
        suite=_number(suite, "id"),
        head=_commit(suite, "head_sha"),
        checks=_CONCLUSIONS[conclusion],
        at=milliseconds(member(suite, "updated_at", str), "check_suite.updated_at"),
        received_at=received_at,
    )


def _repository(payload: Any) -> str:
    # GitHub tells no two repositories apart by letter case.
    return str(member(payload, "repository.full_name", str))[:200].lower()


def _number(value: Any, name: str) -> int:
    number = int(member(value, name, int))
    if not 0 < number < 2**53:
        raise Unreadable(name, "is no number of GitHub's")
    return number


def _commit(value: Any, path: str) -> str:
    sha = str(member(value, path, str))
    if not _COMMIT.fullmatch(sha):
        raise Unreadable(path, "is not a commit")
    return sha
