"""GitHub, as an App sees it: tokens for one repository, its issues, a draft pull request.

Nothing here tries again by itself: the queue that the caller works for does that, and
``GitHubError.retryable`` says whether it is any use.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

import httpx
import jwt

TIMEOUT_SECONDS = 10
# GitHub refuses an App's JWT that lives longer than ten minutes, and clocks differ.
_JWT_SECONDS = 540
_CLOCK_SKEW_SECONDS = 60
_PAGE = 100
_AUTHOR = {"name": "Soulcaster", "email": "soulcaster@soulcaster.invalid"}


class FileChange(TypedDict):
    """The whole new text of one file, or its deletion (``content`` is then ignored)."""

    path: str
    mode: str
    content: str | None
    deleted: bool


class DraftPull(TypedDict):
    """The pull request that a branch has; ``url`` is its page for people."""

    number: int
    url: str


class GitHubError(Exception):
    """GitHub refused, failed or could not be reached (``status`` 0 then).

    ``retryable``: the same call may succeed later (5xx, rate limits, transport errors).
    """

    def __init__(self, status: int, message: str, *, limited: bool = False) -> None:
        super().__init__(f"GitHub: {status or 'not reached'}: {message}")
        self.status = status
        self.message = message
        self.retryable = limited or status in (0, 429) or status >= 500


class GitHub:
    """The calls Soulcaster makes. Every one may raise ``GitHubError``."""

    def __init__(
        self, api_url: str, app_id: str, private_key: str, client: httpx.Client | None = None
    ) -> None:
        """``private_key`` is the App's in PEM; ``client`` is shared if given, else made once."""
        self._api = api_url.rstrip("/")
        self._app_id = app_id
        self._private_key = private_key
        self._client = client or httpx.Client()

    def installation_token(self, owner_repo: str, permissions: Mapping[str, str]) -> str:
        """A token for this repository alone with these permissions alone, good for one hour.

        Raises 404 when the App is not installed there, 422 when it was granted less.
        """
        bearer = self._app_jwt()
        found = self._json("GET", f"/repos/{owner_repo}/installation", bearer)
        minted = self._json(
            "POST",
            f"/app/installations/{found['id']}/access_tokens",
            bearer,
            {"repositories": [owner_repo.split("/", 1)[1]], "permissions": dict(permissions)},
        )
        return str(minted["token"])

    def contains(self, token: str, repo: str, branch: str, sha: str) -> bool:
        """Whether ``sha`` is a commit of ``branch``, its head included; 404 for no such commit."""
        path = f"/repos/{repo}/compare/{quote(branch, safe='')}...{sha}"
        status = self._json("GET", f"{path}?per_page=1", token)["status"]
        return status in ("identical", "behind")

    def issues_since(self, token: str, repo: str, since_iso: str) -> Iterator[list[dict[str, Any]]]:
        """Every issue, open or closed, updated at or after ``since_iso``; oldest update first.

        One list for each page, pull requests left out, so a list may be empty. Each page is
        asked for from the last update seen, not by its number: an issue that is updated
        during the walk moves to the end and would shift the next one out of sight. So an
        issue may come twice, and none is passed over.
        """
        since, page = since_iso, 1
        while True:
            query = {
                "state": "all",
                "sort": "updated",
                "direction": "asc",
                "per_page": str(_PAGE),
                "since": since,
                "page": str(page),
            }
            url = f"{self._api}/repos/{repo}/issues"
            issues = _object(self._send("GET", url, token, query=query), list)
            yield [issue for issue in issues if "pull_request" not in issue]
            if len(issues) < _PAGE:
                return
            last = str(issues[-1]["updated_at"])
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
        base = self._json("GET", f"/repos/{repo}/git/commits/{base_sha}", token)
        tree = self._json(
            "POST",
            f"/repos/{repo}/git/trees",
            token,
            {"base_tree": base["tree"]["sha"], "tree": [_tree_entry(file) for file in files]},
        )
        person = {**_AUTHOR, "date": author_date}
        commit = self._json(
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
            self._json(
                "POST",
                f"/repos/{repo}/git/refs",
                token,
                {"ref": f"refs/heads/{branch}", "sha": sha},
            )
        except GitHubError as error:
            if error.status != 422 or "already exists" not in error.message:
                raise
            found = self._json("GET", f"/repos/{repo}/git/ref/heads/{quote(branch)}", token)
            if found["object"]["sha"] != sha:
                raise GitHubError(409, f"the branch {branch} points elsewhere") from error

    def ensure_draft_pull(
        self, token: str, repo: str, branch: str, *, base: str, title: str, body: str
    ) -> DraftPull:
        """The pull request from ``branch``; opened as a draft unless there has been one.

        One that a person has merged or closed is returned as it is: it's never opened
        twice. Raises 422 when there is nothing to merge, or the plan has no drafts.
        """
        found = self._pull_of(token, repo, branch)
        if found:
            return found
        wanted = {"title": title, "body": body, "head": branch, "base": base, "draft": True}
        try:
            return _draft_pull(self._json("POST", f"/repos/{repo}/pulls", token, wanted))
        except GitHubError as error:
            # Somebody was faster, or an earlier call's answer was lost.
            if error.status != 422 or "already exists" not in error.message:
                raise
            found = self._pull_of(token, repo, branch)
            if not found:
                raise
            return found

    def _pull_of(self, token: str, repo: str, branch: str) -> DraftPull | None:
        query = {"head": f"{repo.split('/', 1)[0]}:{branch}", "state": "all"}
        response = self._send("GET", f"{self._api}/repos/{repo}/pulls", token, query=query)
        for pull in _object(response, list):
            # GitHub ignores a filter that it can't read, and then lists every pull request.
            if pull["head"]["ref"] == branch:
                return _draft_pull(pull)
        return None

    def _app_jwt(self) -> str:
        now = int(time.time())
        claims = {"iat": now - _CLOCK_SKEW_SECONDS, "exp": now + _JWT_SECONDS, "iss": self._app_id}
        return jwt.encode(claims, self._private_key, algorithm="RS256")

    def _json(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = _object(self._send(method, self._api + path, token, body=body), dict)
        return dict(answer)

    def _send(
        self,
        method: str,
        url: str,
        token: str,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": "soulcaster",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            response = self._client.request(
                method, url, json=body, params=query, headers=headers, timeout=TIMEOUT_SECONDS
            )
        except httpx.RequestError as error:
            raise GitHubError(0, type(error).__name__) from error
        if not response.is_success:
            raise _refusal(response)
        return response


def _tree_entry(file: FileChange) -> dict[str, Any]:
    entry = {"path": file["path"], "mode": file["mode"], "type": "blob"}
    if file["deleted"]:
        return {**entry, "sha": None}
    if file["content"] is None:
        raise ValueError(f"{file['path']} has no text to commit")
    return {**entry, "content": file["content"]}


def _draft_pull(pull: Mapping[str, Any]) -> DraftPull:
    return {"number": int(pull["number"]), "url": str(pull["html_url"])}


def _object(response: httpx.Response, kind: type[Any]) -> Any:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, kind):
        # A proxy's or a maintenance page; what was meant may well have happened.
        raise GitHubError(502, "the answer is not GitHub's")
    return value


def _refusal(response: httpx.Response) -> GitHubError:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    parts = [str(answer.get("message") or response.reason_phrase)]
    errors = answer.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            parts.append(str(error.get("message") or f"{error.get('field')} {error.get('code')}"))
        else:
            parts.append(str(error))
    message = ": ".join(parts)[:500]
    limited = response.status_code == 403 and (
        "retry-after" in response.headers
        or response.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in message.lower()
    )
    return GitHubError(response.status_code, message, limited=limited)
