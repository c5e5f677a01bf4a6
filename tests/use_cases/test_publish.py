"""What must not become a pull request, and what one is called."""

import json
from typing import Any

import pytest

from soulcaster.edges.bucket import MAX_OBJECT_BYTES
from soulcaster.rules.patch import MAX_LINES
from tests.support import seeds, state
from tests.use_cases.conftest import Fixing
from tests.use_cases.publishing import CONVENTIONAL, SENTENCES, Ready, changed, proof, upload


@pytest.fixture
def ready(fixing: Fixing) -> Ready:
    """A cluster with a repository."""
    return Ready(fixing.world, fixing.repository, fixing.cluster)


def refused(fixing: Fixing, job: str, cause: str = "patch") -> str:
    """Publish what must be refused before anything is asked of GitHub; returns the reason."""
    with fixing.world.tap.recording() as calls:
        fixing.publish(job)
    assert [call for call in calls if call.system == "github"] == []
    outcome, reason = fixing.outcome(job)
    assert (outcome, fixing.stored(job)["cause"]) == ("refused", cause)
    assert (fixing.branches, fixing.pulls) == (["refs/heads/main"], [])
    return reason


MANY = [changed(path=f"{n}.py") for n in range(41)]
RENAMED = [changed(path="ci.yml", content=None, deleted=True), changed(path=".github/ci.yml")]
HOSTILE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "workflow": ([changed(path=".github/workflows/ci.yml")], "not for an agent to change"),
    "outside": ([changed(path="../outside.py")], "leaves the repository"),
    "link": ([changed(mode="120000", content="/etc/passwd")], "is a symbolic link"),
    "submodule": ([changed(mode="160000", content=None)], "is a submodule"),
    "files": (MANY, "it changes 41 files; 40 is the limit"),
    "lines": ([changed(content="\n" * (MAX_LINES + 1))], "more than 10000 lines"),
    "bytes": ([changed(content="x" * 400_001)], "more than 400000 bytes"),
    "binary": ([changed(content=None, binary=True)], "is binary"),
    "secret": ([changed(content="key = '" + "AKIA" + "IOSFODNN7EXAMPLE'")], "a credential"),
    "rename": (RENAMED, ".github/ci.yml is not for an agent to change"),
    "agents": ([changed(path="AGENTS.md")], "tells agents what to do"),
    "twice": ([changed(), changed()], "the same file twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_s20_a_hostile_patch_is_refused(fixing: Fixing, ready: Ready, name: str) -> None:
    """Each by its reason, before GitHub hears of anything, whatever the proof says."""
    files, reason = HOSTILE[name]
    assert reason in refused(fixing, ready.job(*files, shown=proof()))


def test_s20_the_limits_are_the_projects(fixing: Fixing, ready: Ready) -> None:
    """A project may have smaller ones."""
    ready.settings(patch_files=1)
    job = ready.job(changed(), changed(path="other.py"))
    assert refused(fixing, job) == "it changes 2 files; 1 is the limit"
    ready.settings(patch_bytes=10)
    assert refused(fixing, ready.job()) == "it holds more than 10 bytes"


@pytest.mark.parametrize("verdict", ["tests_fail", "tests_pass", "proven"])
def test_a_verdict_that_is_not_published_is_refused(
    fixing: Fixing, ready: Ready, verdict: str
) -> None:
    """By default failing tests are not; a project may insist on more, and say so in its reason."""
    if verdict != "tests_fail":
        ready.settings(publishes=())
    reason = refused(fixing, ready.job(shown=proof(verdict)), verdict)
    assert "The project's settings do not let that be published." in reason


def test_no_tests_may_not_be_enough(fixing: Fixing, ready: Ready) -> None:
    """A task that shows no proof has run no tests, and a project may insist on some."""
    ready.settings(publishes=("proven",))
    assert "No tests were run" in refused(fixing, ready.job(), "no_tests")


def test_a_project_may_publish_what_fails(fixing: Fixing, ready: Ready) -> None:
    """The pull request then says that it does."""
    ready.settings(publishes=("tests_fail",))
    fixing.publish(ready.job(shown=proof("tests_fail")))
    (pull,) = fixing.pulls
    assert "The tests fail with the change." in pull["body"]


def test_only_the_reported_patch_is_published(fixing: Fixing, ready: Ready) -> None:
    """What was put in its place afterwards, or reported without a hash, is not."""
    for claimed in ("0" * 64, ""):
        job = ready.job(patch_sha256=claimed)
        assert "the patch is not the one that the task reported" in refused(fixing, job)


def test_only_the_reported_proof_counts(fixing: Fixing, ready: Ready) -> None:
    """One that was replaced, is of another verdict, is missing or garbled is none."""
    job = ready.job(shown=proof())
    upload(fixing.world, job, "proof", b"{}")
    assert "the proof is not the one that the task reported" in refused(fixing, job)
    job = ready.job(shown=proof("tests_pass"), verdict="proven")
    assert "not of the verdict that the task reported" in refused(fixing, job)
    job = ready.job(verdict="proven")
    assert "there is none" in refused(fixing, job)
    job = ready.job(shown={"verdict": "proven"})
    assert "the proof is not in the agreed form" in refused(fixing, job)


def test_a_patch_that_is_not_there_is_refused(fixing: Fixing) -> None:
    """A task that reported one and uploaded none has none."""
    job = seeds.job(fixing.world, fixing.cluster, "publishing", patch_sha256="0" * 64)
    assert "there is none" in refused(fixing, job)


def test_a_huge_patch_is_refused_unread(fixing: Fixing) -> None:
    """It is no outage that would pass: the message must not come again and again."""
    job = seeds.job_id(fixing.world)
    pinned = upload(fixing.world, job, "patch", b"x" * (MAX_OBJECT_BYTES + 1))
    cluster = fixing.cluster
    seeds.job(fixing.world, cluster, "publishing", identifier=job, patch_sha256=pinned)
    assert "too large" in refused(fixing, job)


def test_a_patch_of_a_foreign_commit_is_refused(fixing: Fixing) -> None:
    """Its whole tree would come along unchecked: a commit that is on no branch is an example."""
    path = f"/repos/{fixing.repository}/git"
    base = state.github(fixing.world, "GET", f"{path}/commits/{fixing.base}")
    entry = {"path": ".github/workflows/x.yml", "mode": "100644", "type": "blob", "content": "x"}
    body = {"base_tree": base["tree"]["sha"], "tree": [entry]}
    tree = state.github(fixing.world, "POST", f"{path}/trees", json=body)
    body = {"message": "m", "tree": tree["sha"], "parents": [base["sha"]]}
    loose = state.github(fixing.world, "POST", f"{path}/commits", json=body)
    job = based_on(fixing, loose["sha"])
    fixing.publish(job)
    outcome, reason = fixing.outcome(job)
    assert outcome == "refused"
    assert "a commit that is not in main" in reason
    assert (fixing.branches, fixing.pulls) == (["refs/heads/main"], [])


def test_a_patch_of_no_commit_fails(fixing: Fixing) -> None:
    """What GitHub refuses for good ends the job, with GitHub's words."""
    job = based_on(fixing, "0" * 40)
    fixing.publish(job)
    assert fixing.outcome(job) == (
        "failed",
        "GitHub refused the pull request: GitHub: 404: Not Found",
    )
    assert fixing.stored(job)["cause"] == "github"


def based_on(fixing: Fixing, commit: str) -> str:
    """A job whose patch says that it was made on ``commit``."""
    job = seeds.job_id(fixing.world)
    whole = {"base": commit, "summary": "Counted.", "diff": "", "files": [changed()]}
    pinned = upload(fixing.world, job, "patch", json.dumps(whole).encode())
    cluster = fixing.cluster
    return seeds.job(fixing.world, cluster, "publishing", identifier=job, patch_sha256=pinned)


def test_a_proven_fix_is_opened_as_a_draft(fixing: Fixing, ready: Ready) -> None:
    """With the proof, both logs and the evidence; the job says where it is and what it pushed."""
    job = ready.job(shown=proof(), claimed_at=str(seeds.THEN + 5))
    fixing.publish(job)
    (pull,) = fixing.pulls
    assert (pull["title"], pull["draft"]) == ("Fix: Import loses the last line", True)
    for said in ("Something is lost.", "Proven:", "41 passed", "the last line of the patch's log"):
        assert said in pull["body"]
    assert "- email: “Import loses the last line”\n" in pull["body"]
    stored = fixing.stored(job)
    assert stored["pr_url"].endswith(f"/{fixing.repository}/pull/{pull['number']}")
    shown = [stored[name] for name in ("pr_number", "pr_state", "pr_draft")]
    assert shown == [str(pull["number"]), "open", "1"]
    assert (stored["commit"], stored["cause"]) == (pull["head"]["sha"], "pr_open")
    assert fixing.outcome(job) == ("pr_open", f"draft pull request #{pull['number']} is open")


def test_the_repository_is_that_of_the_job(fixing: Fixing, ready: Ready) -> None:
    """Settings that change while an agent works don't send its fix elsewhere."""
    job = ready.job(repository=fixing.repository, base="main")
    other = seeds.repository(fixing.world)
    Ready(fixing.world, other, fixing.cluster).settings(base="release")
    fixing.publish(job)
    assert len(fixing.pulls) == 1


@pytest.mark.parametrize(
    ("subjects", "title"),
    [
        (CONVENTIONAL, "fix: import loses the last line"),
        (SENTENCES, "Fix “Import loses the last line”"),
    ],
)
def test_a_title_is_in_the_repositorys_manner(
    fixing: Fixing, ready: Ready, subjects: tuple[str, ...], title: str
) -> None:
    """The commit has it, too."""
    ready.commits(subjects)
    fixing.publish(ready.job())
    (pull,) = fixing.pulls
    assert pull["title"] == title
    path = f"/repos/{fixing.repository}/git/commits/{pull['head']['sha']}"
    assert state.github(fixing.world, "GET", path)["message"].startswith(f"{title}\n\nCounted.\n")
