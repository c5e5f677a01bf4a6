"""Repositories, people and issues as GitHub's API and its webhooks show them."""

import json
import zlib
from typing import Any

from local.github.store import Row


def user(login: str) -> dict[str, Any]:
    """A person or a bot; the id follows from the login."""
    number = zlib.crc32(login.lower().encode())
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {"login": login, "id": number, "node_id": f"U_{number}", "type": kind}


def repository(base: str, row: Row) -> dict[str, Any]:
    owner, name = row["full_name"].split("/")
    page = f"{base}/{row['full_name']}"
    return {
        "id": row["id"],
        "node_id": f"R_{row['id']}",
        "name": name,
        "full_name": row["full_name"],
        "private": True,
        "owner": user(owner),
        "description": row["description"] or None,
        "url": api(base, row),
        "html_url": page,
        "clone_url": f"{page}.git",
        "default_branch": row["default_branch"],
        "created_at": row["created_at"],
    }


def api(base: str, row: Row) -> str:
    """The address of a repository in the API."""
    return f"{base}/repos/{row['full_name']}"


def issue(base: str, where: Row, row: Row) -> dict[str, Any]:
    """An issue; a pull request is listed as one too, and then has ``pull_request``."""
    number, pull = row["number"], row["is_pull"]
    page = f"{base}/{where['full_name']}/{'pull' if pull else 'issues'}/{number}"
    shown: dict[str, Any] = {
        "id": row["id"],
        "node_id": f"I_{row['id']}",
        "number": number,
        "url": f"{api(base, where)}/issues/{number}",
        "repository_url": api(base, where),
        "html_url": page,
        "title": row["title"],
        "body": row["body"],
        "user": user(row["author"]),
        "labels": [label(name) for name in json.loads(row["labels"])],
        "state": row["state"],
        "state_reason": row["state_reason"],
        "author_association": association(where, row["author"]),
        "comments": row["comments"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closed_at": row["closed_at"],
    }
    if pull:
        shown["pull_request"] = {
            "url": f"{api(base, where)}/pulls/{number}",
            "html_url": page,
            "merged_at": row["merged_at"],
        }
    return shown


def comment(base: str, where: Row, issue: Row, row: Row) -> dict[str, Any]:
    """A comment on an issue or a pull request; the number of its issue is in its addresses."""
    number, kind = issue["number"], "pull" if issue["is_pull"] else "issues"
    page = f"{base}/{where['full_name']}/{kind}/{number}"
    return {
        "id": row["id"],
        "node_id": f"IC_{row['id']}",
        "url": f"{api(base, where)}/issues/comments/{row['id']}",
        "html_url": f"{page}#issuecomment-{row['id']}",
        "issue_url": f"{api(base, where)}/issues/{number}",
        "user": user(row["author"]),
        "body": row["body"],
        "author_association": row["association"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def association(where: Row, login: str) -> str:
    """What somebody is to a repository, as far as its name tells."""
    owner: str = where["full_name"].split("/")[0]
    return "OWNER" if login.lower() == owner.lower() else "NONE"


def label(name: str) -> dict[str, Any]:
    number = zlib.crc32(name.lower().encode())
    return {"id": number, "node_id": f"LA_{number}", "name": name, "color": f"{number:08x}"[:6]}
