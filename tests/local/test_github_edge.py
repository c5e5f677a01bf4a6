"""What the product's edge makes of GitHub's failures; no emulator fails like this."""

from collections.abc import Callable

import httpx
import pytest

from soulcaster.edges.github import GitHub, GitHubError
from tests.local.github_support import REPO, key_pair

API = "https://api.github.invalid"
SHA = "4f2a" * 10


def edge(answer: Callable[[httpx.Request], httpx.Response]) -> GitHub:
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return GitHub(API + "/", "77", key_pair()[0], client)


@pytest.mark.parametrize(
    ("status", "headers", "message", "retryable"),
    [
        (500, {}, "Server Error", True),
        (502, {}, "", True),
        (429, {"retry-after": "7"}, "slow down", True),
        (403, {"retry-after": "7"}, "You have exceeded a limit", True),
        (403, {"x-ratelimit-remaining": "0"}, "no more", True),
        (403, {}, "You have exceeded a secondary rate limit", True),
        (403, {"x-ratelimit-remaining": "10"}, "Resource not accessible by integration", False),
        (401, {}, "Bad credentials", False),
        (404, {}, "Not Found", False),
        (301, {"location": "https://elsewhere.invalid/"}, "Moved Permanently", False),
        (422, {}, "Validation Failed", False),
    ],
)
def test_which_refusals_pass(
    status: int, headers: dict[str, str], message: str, retryable: bool
) -> None:
    """Server errors and limits are worth another try; refusals are not."""
    api = edge(lambda _: httpx.Response(status, headers=headers, json={"message": message}))
    with pytest.raises(GitHubError) as refusal:
        api.contains("ghs_secret", REPO, "main", SHA)
    assert (refusal.value.status, refusal.value.retryable) == (status, retryable)
    assert "ghs_secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
)
def test_a_transport_error_passes(fault: Exception) -> None:
    """Who can't be reached now may be reached later: status 0, retryable."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(GitHubError) as refusal:
        edge(fail).contains("t", REPO, "main", SHA)
    assert (refusal.value.status, refusal.value.retryable) == (0, True)


@pytest.mark.parametrize("body", ["<html>maintenance</html>", "[]", ""])
def test_an_answer_that_is_not_githubs_passes(body: str) -> None:
    """A 200 with a page in it is not taken for data."""
    with pytest.raises(GitHubError) as refusal:
        edge(lambda _: httpx.Response(200, text=body)).contains("t", REPO, "main", SHA)
    assert refusal.value.retryable


def test_the_token_goes_to_no_other_host() -> None:
    """A next page elsewhere is not fetched."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        link = '<https://api.github.invalid.evil.invalid/x?page=2>; rel="next"'
        issues = [{"updated_at": "2026-01-02T00:00:00Z"}] * (100 if len(asked) == 1 else 1)
        return httpx.Response(200, json=issues, headers={"Link": link})

    pages = edge(answer).issues_since("t", REPO, "2026-01-01T00:00:00Z")
    assert [len(page) for page in pages] == [100, 1]
    assert asked == ["api.github.invalid"] * 2


def opened(number: int, branch: str) -> dict[str, object]:
    """What is read of a pull request."""
    return {
        "number": number,
        "html_url": f"u{number}",
        "head": {"ref": branch, "sha": SHA},
        "state": "open",
        "draft": True,
        "updated_at": "2026-01-02T00:00:00Z",
    }


@pytest.mark.parametrize("lacking", ["number", "html_url", "head", "state", "draft", "updated_at"])
def test_a_pull_request_that_is_not_githubs_passes(lacking: str) -> None:
    """One without what GitHub documents is not taken for one."""
    odd = {name: value for name, value in opened(5, "ours").items() if name != lacking}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[] if request.method == "GET" else odd)

    with pytest.raises(GitHubError) as refusal:
        edge(answer).ensure_draft_pull("t", REPO, "ours", base="main", title="t", body="b")
    assert refusal.value.retryable


def test_a_filter_that_github_ignored_adopts_nothing() -> None:
    """Someone else's pull request is not taken for ours."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=[opened(4, "other")])
        return httpx.Response(201, json=opened(5, "ours"))

    found = edge(answer).ensure_draft_pull("t", REPO, "ours", base="main", title="t", body="b")
    assert (found["number"], found["url"], found["head"]) == (5, "u5", SHA)


def test_a_pull_request_that_appears_meanwhile_is_adopted() -> None:
    """When the answer to the first try was lost, the second finds what it made."""
    pulls: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=pulls)
        pulls.append(opened(6, "ours"))
        said = {
            "message": "Validation Failed",
            "errors": [{"message": "A pull request already exists"}],
        }
        return httpx.Response(422, json=said)

    found = edge(answer).ensure_draft_pull("t", REPO, "ours", base="main", title="t", body="b")
    assert (found["number"], found["url"], found["state"]) == (6, "u6", "open")
