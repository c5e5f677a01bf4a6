"""GitHub, as an App sees it: tokens for one repository, its issues, a draft pull request.

Nothing here tries again by itself: the queue that the caller works for does that, and
``GitHubError.retryable`` says whether it is any use.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

import httpx

from soulcaster.edges.github_api import GitHubApi, GitHubError
from soulcaster.rules.payload import milliseconds
from soulcaster.rules.pull_news import PullState

__all__ = ["DraftPull", "FileChange", "GitHub", "GitHubError"]

_PAGE = 100
_AUTHOR = {"name": "Soulcaster", "email": "soulcaster@soulcaster.invalid"}


class FileChange(TypedDict):
    """The whole new text of one file, or its deletion (``content`` is then ignored)."""

    path: str
    mode: str
    content: str | None
    deleted: bool


class DraftPull(TypedDict):
    """The pull request that a branch has, as it is at ``at`` (ms).

    ``url`` is its page for people, ``head`` the commit that its branch points at.
    """

    number: int
    url: str
    head: str
    state: PullState
    draft: bool
    at: int


class GitHub:
    """The calls Soulcaster makes. Every one may raise ``GitHubError``."""

    def __init__(
        self, api_url: str, app_id: str, private_key: str, client: httpx.Client | None = None
    ) -> None:
        """``private_key`` is the App's in PEM; ``client`` is shared if given, else made once."""
        self._api = GitHubApi(api_url, app_id, private_key, client)

    def installation_token(self, owner_repo: str, permissions: Mapping[str, str]) -> str:
        """A token for this repository alone with these permissions alone, good for one hour.

        Raises 404 when the App is not installed there, 422 when it was granted less.
        """
        bearer = self._api.app_jwt()
        found = self._api.one("GET", f"/repos/{owner_repo}/installation", bearer)
        minted = self._api.one(
            "POST",
            f"/app/installations/{found['id']}/access_tokens",
            bearer,
            {"repositories": [owner_repo.split("/", 1)[1]], "permissions": dict(permissions)},
        )
        return str(minted["token"])

    def contains(self, token: str, repo: str, branch: str, sha: str) -> bool:
        """Whether ``sha`` is a commit of ``branch``, its head included; 404 for no such commit."""
        path = f"/repos/{repo}/compare/{quote(branch, safe='')}...{sha}"
        status = self._api.one("GET", f"{path}?per_page=1", token)["status"]
        return status in ("identical", "behind")

    def subjects(self, token: str, repo: str, sha: str) -> list[str]:
        """The first lines of the messages of ``sha`` and the commits before it, 30 in all."""
        query = {"sha": sha, "per_page": "30"}
        commits = self._api.many(f"/repos/{repo}/commits", token, query)
        return [str(each["commit"]["message"]).partition("\n")[0] for each in commits]

    def issues_since(self, token: str, repo: str, since_iso: str) -> Iterator[list[dict[str, Any]]]:
        """Every issue, open or closed, updated at or after ``since_iso``; oldest update first.

        One list for each page, pull requests left out, so a list may be empty. Each page is
        asked for from the last update seen, not by its number: an issue that is updated
        during the walk moves to the end and would shift the next one out of sight. So an
        issue may come twice, and none is passed over.
        """
        query = {"state": "all"}
        for issues in self._updated_since(token, f"/repos/{repo}/issues", since_iso, query):
            yield [issue for issue in issues if "pull_request" not in issue]

    def comments_since(
        self, token: str, repo: str, since_iso: str
    ) -> Iterator[list[dict[str, Any]]]:
        """Every comment on an issue or a pull request, as ``issues_since`` gives issues.

        Which one it is on only its ``issue_url`` says, by its number.
        """
        yield from self._updated_since(token, f"/repos/{repo}/issues/comments", since_iso, {})

    def issue(self, token: str, repo: str, number: int) -> dict[str, Any]:
        """An issue or a pull request; 301 when it was transferred, 410 or 404 when deleted."""
        return self._api.one("GET", f"/repos/{repo}/issues/{number}", token)

    def _updated_since(
        self, token: str, path: str, since_iso: str, query: Mapping[str, str]
    ) -> Iterator[list[dict[str, Any]]]:
        since, page = since_iso, 1
        while True:
            asked = {
                **query,
                "sort": "updated",
                "direction": "asc",
                "per_page": str(_PAGE),
                "since": since,
                "page": str(page),
            }
            found = self._api.many(path, token, asked)
            yield found
            if len(found) < _PAGE:
                return
            last = str(found[-1]["updated_at"])
            # A whole page of one second: only its number leads on.
            since, page = (since, page + 1) if last == since else (last, 1)

    def commit_files(
        self,
        token: str,
        repo: str,
        base_sha: str,
        files: Sequence[FileChange],
        *,
        message: str,
        author_date: str,
    ) -> str:
        """Commit ``files`` on top of ``base_sha`` and return the commit's sha; no branch moves.

        ``author_date`` (ISO 8601, UTC) is author's and committer's date, so the same
        arguments always make the same commit. Raises 404 for an unknown ``base_sha``, 422
        when a file to delete is not there, ``ValueError`` for a file without text.
        """
        base = self._api.one("GET", f"/repos/{repo}/git/commits/{base_sha}", token)
        tree = self._api.one(
            "POST",
            f"/repos/{repo}/git/trees",
            token,
            {"base_tree": base["tree"]["sha"], "tree": [_tree_entry(file) for file in files]},
        )
        person = {**_AUTHOR, "date": author_date}
        commit = self._api.one(
            "POST",
            f"/repos/{repo}/git/commits",
            token,
            {
                "message": message,
                "tree": tree["sha"],
                "parents": [base_sha],
                "author": person,
                "committer": person,
            },
        )
        return str(commit["sha"])

    def ensure_branch(self, token: str, repo: str, branch: str, sha: str) -> None:
        """After this ``branch`` points at ``sha``.

        Raises 409 when the branch is there already and points elsewhere: it's not moved.
        """
        try:
            self._api.one(
                "POST",
                f"/repos/{repo}/git/refs",
                token,
                {"ref": f"refs/heads/{branch}", "sha": sha},
            )
        except GitHubError as error:
            if error.status != 422 or "already exists" not in error.message:
                raise
            found = self._api.one("GET", f"/repos/{repo}/git/ref/heads/{quote(branch)}", token)
            if found["object"]["sha"] != sha:
                raise GitHubError(409, f"the branch {branch} points elsewhere") from error

    def ensure_draft_pull(
        self, token: str, repo: str, branch: str, *, base: str, title: str, body: str
    ) -> DraftPull:
        """The pull request from ``branch``; opened as a draft unless there has been one.

        One that a person has merged or closed is returned as it is: it's never opened
        twice. Raises 422 when there is nothing to merge, or the plan has no drafts.
        """
        found = self.pull_of(token, repo, branch)
        if found:
            return found
        wanted = {"title": title, "body": body, "head": branch, "base": base, "draft": True}
        try:
            return _draft_pull(self._api.one("POST", f"/repos/{repo}/pulls", token, wanted))
        except GitHubError as error:
            # Somebody was faster, or an earlier call's answer was lost.
            if error.status != 422 or "already exists" not in error.message:
                raise
            found = self.pull_of(token, repo, branch)
            if not found:
                raise
            return found

    def pull_of(self, token: str, repo: str, branch: str) -> DraftPull | None:
        """The newest pull request from ``branch``, open or not; None for none."""
        query = {"head": f"{repo.split('/', 1)[0]}:{branch}", "state": "all"}
        for pull in self._api.many(f"/repos/{repo}/pulls", token, query):
            # GitHub ignores a filter that it can't read, and then lists every pull request.
            if pull["head"]["ref"] == branch:
                return _draft_pull(pull)
        return None


def _tree_entry(file: FileChange) -> dict[str, Any]:
    entry = {"path": file["path"], "mode": file["mode"], "type": "blob"}
    if file["deleted"]:
        return {**entry, "sha": None}
    if file["content"] is None:
        raise ValueError(f"{file['path']} has no text to commit")
    return {**entry, "content": file["content"]}


def _draft_pull(pull: Mapping[str, Any]) -> DraftPull:
    try:
        state: PullState = "open" if pull["state"] != "closed" else "closed"
        # A list of pull requests has no ``merged``.
        if state == "closed" and pull.get("merged_at"):
            state = "merged"
        return {
            "number": int(pull["number"]),
            "url": str(pull["html_url"]),
            "head": str(pull["head"]["sha"]),
            "state": state,
            "draft": bool(pull["draft"]),
            "at": milliseconds(pull["updated_at"], "updated_at"),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise GitHubError(502, "the answer is not GitHub's") from error
