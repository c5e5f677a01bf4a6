"""What GitHub sends about pull requests, in its documented form, and the news in it."""

from typing import Any

from soulcaster.rules.pull_news import CheckNews, Checks, PullNews, PullState
from tests.rules.samples import NOW, PROJECT, github_issue

HEAD = "4f2a" * 10
SECOND = 1_000


def pull_event(action: str = "closed", **pull: Any) -> dict[str, Any]:
    """GitHub's ``pull_request`` webhook."""
    issue = github_issue()
    repository = {"id": 77, "name": "larder", "full_name": "acme/larder"}
    fields: dict[str, Any] = {
        "url": "https://api.github.com/repos/acme/larder/pulls/7",
        "id": 1_900_800_700,
        "number": 7,
        "html_url": "https://github.com/acme/larder/pull/7",
        "state": "closed",
        "title": "Fix: Export loses the last row",
        "body": "This draft was written by a coding agent.",
        "user": {"login": "soulcaster[bot]", "id": 12, "type": "Bot"},
        "draft": False,
        "merged": True,
        "merged_at": "2024-12-31T09:00:00Z",
        "head": {"label": "acme:soulcaster/1", "ref": "soulcaster/1", "sha": HEAD},
        "base": {"label": "acme:main", "ref": "main", "sha": "0" * 40, "repo": repository},
        "created_at": "2024-12-31T08:00:00Z",
        "updated_at": "2024-12-31T09:00:00Z",
        "closed_at": "2024-12-31T09:00:00Z",
    }
    given = {key: issue[key] for key in ("repository", "sender", "organization")}
    return {"action": action, "number": 7, "pull_request": {**fields, **pull}, **given}


def suite_event(action: str = "completed", **suite: Any) -> dict[str, Any]:
    """GitHub's ``check_suite`` webhook."""
    issue = github_issue()
    end = {"ref": "soulcaster/1", "sha": HEAD, "repo": {"id": 77, "name": "larder"}}
    fields: dict[str, Any] = {
        "id": 118_578_147,
        "head_branch": "soulcaster/1",
        "head_sha": HEAD,
        "status": "completed",
        "conclusion": "success",
        "pull_requests": [{"id": 1_900_800_700, "number": 7, "head": end, "base": end}],
        "app": {"id": 29_310, "slug": "ci", "name": "CI"},
        "created_at": "2024-12-31T08:10:00Z",
        "updated_at": "2024-12-31T08:20:00Z",
    }
    given = {key: issue[key] for key in ("repository", "sender", "organization")}
    return {"action": action, "check_suite": {**fields, **suite}, **given}


def pull_news(state: PullState = "open", **given: Any) -> PullNews:
    """News of pull request 7."""
    fields: dict[str, Any] = {
        "project": PROJECT,
        "repository": "acme/larder",
        "number": 7,
        "what": {"open": "reopened", "closed": "closed", "merged": "merged"}[state],
        "draft": False,
        "head": HEAD,
        "at": NOW,
        "received_at": NOW + 5,
    }
    return PullNews(state=state, **{**fields, **given})


def check_news(checks: Checks = "passing", **given: Any) -> CheckNews:
    """What a suite says of pull request 7."""
    fields: dict[str, Any] = {
        "project": PROJECT,
        "repository": "acme/larder",
        "numbers": (7,),
        "suite": 1,
        "head": HEAD,
        "at": NOW,
        "received_at": NOW + 5,
    }
    return CheckNews(checks=checks, **{**fields, **given})
