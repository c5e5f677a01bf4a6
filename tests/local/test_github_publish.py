"""Publishing by the product's edge: one commit, one branch, one draft pull request."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from soulcaster.edges.github import GitHubError
from soulcaster.rules.payload import milliseconds
from tests.local.github_support import REPO, WRITE, World, change, git, publish, started

BRANCH = "soulcaster/job-1"
DATE = "2026-03-04T05:06:07Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path) as running:
        yield running


@pytest.fixture
def token(world: World) -> str:
    return world.edge.installation_token(REPO, WRITE)


def pull(world: World, token: str, branch: str = BRANCH) -> dict[str, object]:
    found = world.edge.ensure_draft_pull(token, REPO, branch, base="main", title="t", body="b")
    return dict(found)


def merge(world: World, number: int = 1) -> int:
    world.person.post("/_local/pulls/ready", json={"repo": REPO, "number": number})
    return world.person.put(f"/repos/{REPO}/pulls/{number}/merge").status_code


def test_a_clone_of_the_branch_has_the_change(world: World, token: str, tmp_path: Path) -> None:
    """Changed, new, executable, nested and deleted files arrive; others stay as they were."""
    sha = publish(
        world,
        token,
        change("larder.py", "def shelves():\n    return 3\n"),
        change("tests/deep/test_ä b.py", "", "100755"),
        change("README.md", None),
    )
    done = git("clone", "-q", "-b", BRANCH, world.clone_url(token), "copy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    copy = tmp_path / "copy"
    assert git("rev-parse", "HEAD", cwd=copy).stdout.strip() == sha
    assert "return 3" in (copy / "larder.py").read_text()
    assert (copy / "tests/deep/test_ä b.py").stat().st_mode & 0o100
    assert not (copy / "README.md").exists()
    assert (copy / "run.sh").stat().st_mode & 0o100
    assert not (copy / "__pycache__").exists()
    log = git("log", "-1", "--format=%an|%aI|%cI|%B", cwd=copy).stdout.strip()
    assert log == (
        "Soulcaster|2026-03-04T05:06:07+00:00|2026-03-04T05:06:07+00:00|"
        "Count the shelves\n\nOne was forgotten."
    )


def test_publishing_twice_changes_nothing(world: World, token: str) -> None:
    """The same patch published again is the same commit, branch and pull request."""
    assert publish(world, token) == publish(world, token)
    pulls = world.person.get(f"/repos/{REPO}/pulls", params={"state": "all"}).json()
    branches = world.person.get(f"/repos/{REPO}/git/matching-refs/heads/soulcaster").json()
    assert len(pulls) == len(branches) == 1
    assert (pulls[0]["draft"], pulls[0]["base"]["ref"]) == (True, "main")
    assert pulls[0]["head"]["sha"] == branches[0]["object"]["sha"]


def test_publishing_at_once_makes_one(world: World, token: str) -> None:
    """Two publishers at the same time end up with one branch and one pull request."""
    with ThreadPoolExecutor(4) as pool:
        shas = set(pool.map(lambda _: publish(world, token), range(4)))
    assert len(shas) == 1
    assert len(world.person.get(f"/repos/{REPO}/pulls", params={"state": "all"}).json()) == 1


@pytest.mark.parametrize("end", ["close", "merge"])
def test_what_a_person_ended_is_not_opened_again(world: World, token: str, end: str) -> None:
    """A late second publish finds the pull request that a person closed or merged."""
    publish(world, token)
    if end == "close":
        world.person.patch(f"/repos/{REPO}/pulls/1", json={"state": "closed"})
    else:
        assert merge(world) == 200
    found = pull(world, token)
    shown = world.person.get(f"/repos/{REPO}/pulls/1").json()
    assert found == {
        "number": 1,
        "url": f"{world.url}/{REPO}/pull/1",
        "head": shown["head"]["sha"],
        "state": {"close": "closed", "merge": "merged"}[end],
        "draft": end == "close",
        "at": milliseconds(shown["updated_at"], ""),
    }
    assert world.edge.pull_of(token, REPO, BRANCH) == found


def test_a_branch_without_a_pull_request_has_none(world: World, token: str) -> None:
    """Whatever other branches have."""
    publish(world, token)
    assert world.edge.pull_of(token, REPO, "main") is None


def test_how_recent_commits_begin(world: World, token: str) -> None:
    """The first lines, newest first, from the commit that is asked for; no more than 30."""
    sha = publish(world, token)
    assert world.edge.subjects(token, REPO, sha) == ["Count the shelves", "Initial import"]
    assert world.edge.subjects(token, REPO, world.base_sha(token)) == ["Initial import"]
    for _ in range(30):
        body = {"message": "Again\n\nAt length.", "parents": [sha]}
        path = f"/repos/{REPO}/git/commits"
        tree = world.person.get(f"{path}/{sha}").json()["tree"]["sha"]
        sha = world.person.post(path, json={**body, "tree": tree}).json()["sha"]
    assert world.edge.subjects(token, REPO, sha) == ["Again"] * 30
    with pytest.raises(GitHubError) as refusal:
        world.edge.subjects(token, REPO, "0" * 40)
    assert refusal.value.status == 404


def test_a_branch_that_points_elsewhere_is_a_conflict(world: World, token: str) -> None:
    """The edge never moves somebody else's branch."""
    publish(world, token)
    other = world.base_sha(token)
    with pytest.raises(GitHubError) as refusal:
        world.edge.ensure_branch(token, REPO, BRANCH, other)
    assert (refusal.value.status, refusal.value.retryable) == (409, False)


def test_which_commits_a_branch_contains(world: World, token: str) -> None:
    """Its head and what that comes from; not one that is on no branch, on another, or nowhere."""
    base, holds = world.base_sha(token), world.edge.contains
    made = publish(world, token)
    assert holds(token, REPO, "main", base)
    assert (holds(token, REPO, BRANCH, made), holds(token, REPO, BRANCH, base)) == (True, True)
    assert not holds(token, REPO, "main", made)
    files = [change("larder.py", "pass")]
    loose = world.edge.commit_files(token, REPO, base, files, message="m", author_date=DATE)
    assert not holds(token, REPO, BRANCH, loose)
    for branch, sha in (("main", "0" * 40), ("gone", base)):
        with pytest.raises(GitHubError) as refusal:
            holds(token, REPO, branch, sha)
        assert (refusal.value.status, refusal.value.retryable) == (404, False)


def test_unknown_things_are_refused(world: World, token: str) -> None:
    """An unknown base commit, a deletion of what isn't there, a path that leaves: no retry."""
    base = world.base_sha(token)
    for sha, file, status in (
        ("0" * 40, change("a", "b"), 404),
        (base, change("not/there", None), 422),
        (base, change("../a", "b"), 422),
        (base, change(".git/config", "b"), 422),
    ):
        with pytest.raises(GitHubError) as refusal:
            world.edge.commit_files(token, REPO, sha, [file], message="m", author_date=DATE)
        assert (refusal.value.status, refusal.value.retryable) == (status, False)
    with pytest.raises(ValueError, match="has no text"):
        world.edge.commit_files(
            token,
            REPO,
            base,
            [{"path": "a", "mode": "100644", "content": None, "deleted": False}],
            message="m",
            author_date=DATE,
        )


def test_nothing_to_merge_is_refused(world: World, token: str) -> None:
    """A branch without a commit of its own gets no pull request."""
    world.edge.ensure_branch(token, REPO, "same", world.base_sha(token))
    with pytest.raises(GitHubError, match="No commits between main and same"):
        pull(world, token, "same")


def test_a_draft_is_not_merged(world: World, token: str, tmp_path: Path) -> None:
    """405 for a draft, 200 once it's ready, 405 again; main then has a real merge commit."""
    publish(world, token)
    draft = world.person.put(f"/repos/{REPO}/pulls/1/merge")
    assert (draft.status_code, draft.json()["message"]) == (405, "Pull Request is still a draft")
    assert merge(world) == 200
    assert merge(world) == 405
    git("clone", "-q", world.clone_url(token), "copy", cwd=tmp_path)
    parents = git("log", "-1", "--format=%P", cwd=tmp_path / "copy").stdout.split()
    shown = world.person.get(f"/repos/{REPO}/pulls/1").json()
    assert parents == [shown["base"]["sha"], shown["head"]["sha"]]
    assert (shown["merged"], shown["state"], shown["changed_files"]) == (True, "closed", 1)
    assert "return 3" in (tmp_path / "copy" / "larder.py").read_text()


def test_a_conflict_is_not_merged(world: World, token: str) -> None:
    """Of two changes to one line the second can't be merged, and says so before."""
    publish(world, token)
    publish(world, token, change("larder.py", "def shelves():\n    return 9\n"), branch="two")
    assert merge(world, 1) == 200
    assert world.person.get(f"/repos/{REPO}/pulls/2").json()["mergeable"] is False
    assert merge(world, 2) == 405


def test_the_files_of_a_pull_request(world: World, token: str) -> None:
    """GET files tells what is added, removed, changed and renamed, with the patch."""
    publish(
        world,
        token,
        change("larder.py", "def shelves():\n    return 3\n"),
        change("README.md", None),
        change("READ.md", "# Larder\n\nKeeps food.\n"),
        change("new.txt", "no newline at the end"),
    )
    found = {f["filename"]: f for f in world.person.get(f"/repos/{REPO}/pulls/1/files").json()}
    assert {name: f["status"] for name, f in found.items()} == {
        "READ.md": "renamed",
        "larder.py": "modified",
        "new.txt": "added",
    }
    assert found["READ.md"]["previous_filename"] == "README.md"
    assert (found["larder.py"]["additions"], found["larder.py"]["deletions"]) == (1, 1)
    assert found["larder.py"]["patch"].startswith("@@ -1,2 +1,2 @@")


def test_the_same_folder_makes_the_same_first_commit(world: World, token: str) -> None:
    """Making a repository again changes nothing; two from the same files start alike."""
    files = world.folder / "files" / REPO
    for name, status in ((REPO, 200), ("acme/second", 201), ("acme/second", 200)):
        body = {"full_name": name, "path": str(files)}
        assert world.person.post("/_local/repositories", json=body).status_code == status
    second = world.person.get("/repos/acme/second/git/ref/heads/main").json()
    assert second["object"]["sha"] == world.base_sha(token)
