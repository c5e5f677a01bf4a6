"""People who write where the product listens: on the local GitHub and the local Reddit."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx

from local.demo.senders import Tally

GITHUB_SECONDS = 60


class GitHubPeople:
    """People who open issues on the local GitHub, which then sends its webhooks."""

    def __init__(self, url: str, token: str, repository: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        )
        self._repository = repository

    def create_repository(self, folder: str) -> None:
        """Make the repository of a folder's content, unless it is there."""
        body = {"full_name": self._repository, "path": folder}
        self._client.post("/_local/repositories", json=body).raise_for_status()

    def ensure_webhook(self, address: str, secret: str) -> int:
        """Have issue events sent to ``address``; returns the hook's id.

        A hook for the same place that points elsewhere is from an earlier run, which had
        another port.
        """
        path = f"/repos/{self._repository}/hooks"
        kept = None
        for hook in self._get(path):
            url = hook["config"]["url"]
            if url == address and kept is None:
                kept = int(hook["id"])
            elif httpx.URL(url).path == httpx.URL(address).path:
                self._client.delete(f"{path}/{hook['id']}").raise_for_status()
        if kept is not None:
            return kept
        config = {"url": address, "secret": secret, "content_type": "json"}
        body = {
            "config": config,
            "events": ["issues", "issue_comment", "pull_request", "check_suite"],
            "active": True,
        }
        answer = self._client.post(path, json=body)
        return int(answer.raise_for_status().json()["id"])

    def open_issues(self, rows: Iterable[Mapping[str, Any]], hook: int, tally: Tally) -> None:
        """Open an issue for each row that has none, and count how its webhook was answered."""
        there = self._issues()
        before = {delivery["id"] for delivery in self._deliveries(hook)}
        count = 0
        for row in rows:
            author = row.get("author") or "somebody"
            if (row["title"], author) in there:
                tally.earlier += 1
                continue
            body = {
                "repo": self._repository,
                "user": author,
                "title": row["title"],
                "body": row.get("text") or "",
                "created_at": row["created_at"],
            }
            self._client.post("/_local/issues", json=body).raise_for_status()
            count += 1
        for delivery in self._answered(hook, before, count)[:count]:
            tally.note(f"GitHub {delivery['guid']}", int(delivery["status_code"]), "")

    def pull_request(self, number: int) -> dict[str, Any]:
        """A pull request as GitHub describes it."""
        found: dict[str, Any] = self._get(f"/repos/{self._repository}/pulls/{number}")
        return found

    def _issues(self) -> set[tuple[str, str]]:
        """Title and author of every issue."""
        found: set[tuple[str, str]] = set()
        page = 1
        while rows := self._get(
            f"/repos/{self._repository}/issues", state="all", per_page=100, page=page
        ):
            found |= {(row["title"], row["user"]["login"]) for row in rows}
            page += 1
        return found

    def _answered(self, hook: int, before: set[int], count: int) -> list[dict[str, Any]]:
        """The hook's new deliveries once there are ``count``; GitHub sends them when it likes."""
        deadline = time.monotonic() + GITHUB_SECONDS
        while True:
            # A delivery under way is listed as interrupted until it is answered.
            done = [
                delivery
                for delivery in self._deliveries(hook)
                if delivery["id"] not in before and delivery["status"] != "interrupted"
            ]
            if len(done) >= count or time.monotonic() > deadline:
                return done
            time.sleep(0.1)

    def _deliveries(self, hook: int) -> list[dict[str, Any]]:
        path = f"/repos/{self._repository}/hooks/{hook}/deliveries"
        return [found for found in self._get(path, per_page=100) if found["event"] == "issues"]

    def _get(self, path: str, **query: Any) -> Any:
        return self._client.get(path, params=query).raise_for_status().json()


def post_submissions(url: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Post rows to their subreddits on the local Reddit; how many were not there before."""
    new = 0
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for row in rows:
            body = {
                "id": str(row["id"]).removeprefix("t3_"),
                "subreddit": (row.get("extra") or {}).get("subreddit", "larder"),
                "title": row["title"],
                "selftext": row.get("text") or "",
                "author": row.get("author") or "somebody",
                "created_utc": datetime.fromisoformat(row["created_at"]).timestamp(),
            }
            answer = client.post("/_local/submissions", json=body).raise_for_status()
            new += answer.status_code == httpx.codes.CREATED
    return new
