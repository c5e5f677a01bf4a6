"""The demo, whole: what it prints, what it leaves, and what a second run makes of that."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import Cloud
from local.lambdas.stack import Places
from local.lambdas.template import load
from local.parts import ROOT
from tests.loop.clouds import client, feedback, living, needs_proc, none_left, started

pytestmark = pytest.mark.timeout(400)

MARK = "what-a-part-must-not-see"
# Nothing of this may reach a part, or the loop would leave the machine or fail.
HOSTILE = {
    "AWS_PROFILE": f"nobody-{MARK}",
    "AWS_ENDPOINT_URL": f"http://{MARK}.invalid",
    "HTTP_PROXY": f"http://{MARK}.invalid:9",
    "HTTPS_PROXY": f"http://{MARK}.invalid:9",
    "ALL_PROXY": f"http://{MARK}.invalid:9",
    "GITHUB_TOKEN": MARK,
    "GEMINI_API_KEY": "",
}


@dataclass
class Run:
    """A demo that has ended."""

    folder: Path
    status: int
    printed: str
    seen: dict[int, str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo") / "state"
    with started("local.demo", folder, "--exit", **HOSTILE) as demo:
        seen: dict[int, str] = {}
        if sys.platform == "linux":
            demo.until(lambda: "the agent is at work" in demo.printed)
            seen = living(folder)
            seen.pop(demo.process.pid)
            leaked = {pid: name for pid, name in seen.items() if MARK in _environment(pid)}
            assert leaked == {}
        return Run(folder, demo.ended(300), demo.printed, seen)


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def again(run: Run) -> Run:
    """The second run on the same folder."""
    with started("local.demo", run.folder, "--exit") as demo:
        return Run(run.folder, demo.ended(120), demo.printed, {})


@pytest.fixture(scope="module")
def cloud(again: Run) -> Iterator[Cloud]:
    """The same cloud, up once more after both runs."""
    with Cloud(again.folder, {}, schedules=False) as cloud:
        yield cloud


def _counts(printed: str) -> dict[str, int]:
    return {
        name: int(number)
        for name, number in re.findall(
            r"^  (sent|accepted|stored|clustered) +(\d+)", printed, re.MULTILINE
        )
    }


def _pull(printed: str) -> tuple[str, int]:
    found = re.search(
        r"Draft pull request: (http://127\.0\.0\.1:\d+/acme/larder/pull/(\d+))", printed
    )
    assert found, printed
    return found[1], int(found[2])


def test_the_demo_says_what_happened(run: Run) -> None:
    """Exit status 0; nothing lost on the way; clusters by name, states with times, a draft PR."""
    assert run.status == 0, run.printed
    assert _counts(run.printed) == dict.fromkeys(("sent", "accepted", "stored", "clustered"), 208)
    largest = re.search(r"(?i)^ +size .*\n +(\d+) .*\bexport", run.printed, re.MULTILINE)
    # 38 of the items are about the export; which of them a rule finds is that rule's business.
    assert largest, run.printed
    assert 15 <= int(largest[1]) <= 45
    states = re.findall(r"^  \d\d:\d\d:\d\d  (\w+)", run.printed, re.MULTILINE)
    assert states == ["queued", "starting", "running", "proving", "publishing", "pr_open"]
    assert re.search(r"^A plan for “.+”, version 1 by model:$", run.printed, re.MULTILINE)
    assert "  approved by maintainer\n" in run.printed
    assert _pull(run.printed)
    assert "  verdict    proven\n" in run.printed
    assert "  its tests  log without the change and with it, in the pull request\n" in run.printed
    assert re.search(r"\n  cost       \$0\.\d{4} of \$5\.00: 6 model calls", run.printed)
    assert "All of it worked" in run.printed
    assert "Traceback" not in run.printed


def test_the_branch_holds_a_fix_that_proves_itself(run: Run, tmp_path: Path) -> None:
    """The branch's tests pass on the branch, and fail when the code is still main's."""
    [bare] = (run.folder / "state/github").glob("repos/**/*.git")
    branch = re.search(r"^  branch +(\S+)", run.printed, re.MULTILINE)
    assert branch
    clone = tmp_path / "clone"
    _git(tmp_path, "clone", "--quiet", "--branch", branch[1], str(bare), str(clone))
    changed = _git(clone, "diff", "--name-only", "origin/main", "HEAD").split()
    assert "larder/export.py" in changed
    assert any(name.startswith("tests/") for name in changed)
    assert _unittest(clone) == 0
    _git(clone, "checkout", "--quiet", "origin/main", "--", "larder")
    assert _unittest(clone) != 0


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def _unittest(folder: Path) -> int:
    command = [sys.executable, "-m", "unittest"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode


@needs_proc
def test_no_process_is_left(run: Run) -> None:
    """Parts, functions and the agent's own processes were seen, and all have ended."""
    names = " ".join(run.seen.values())
    for part in ("local.moto", "local.lambdas", "awslambdaric store.handler", "soulcaster_agent"):
        assert part in names
    assert none_left(run.folder)


def test_every_part_has_its_log(run: Run) -> None:
    """The logs folder has a file for each emulator, the runner and each function."""
    logs = {file.stem for file in (run.folder / "logs").glob("*.log")}
    parameters = json.loads((run.folder / "parameters.json").read_text())
    stack = load(ROOT / "template.yaml", parameters, Places())
    parts = ("moto", "gemini", "redis", "vector", "sqs", "s3", "github", "reddit", "model", "ecs")
    assert {*parts, "lambdas", *stack.functions} <= logs


def test_a_second_run_changes_nothing(run: Run, again: Run) -> None:
    """It succeeds with the same numbers and the same pull request."""
    assert again.status == 0, again.printed
    assert _counts(again.printed) == _counts(run.printed)
    assert _pull(again.printed)[1] == _pull(run.printed)[1]


def test_the_job_and_its_pull_request_hold_the_proof(run: Run, cloud: Cloud) -> None:
    """Verdict, plan and cost are on the job, the logs of the tests in the pull request, and the
    whole record in the bucket.
    """
    with client(cloud.folder) as api:
        [job] = api.get("/jobs", params={"project": "larder"}).json()["items"]
        record = api.get(f"/jobs/{job['id']}/record").raise_for_status().json()
        written = api.get(f"/jobs/{job['id']}/logs").raise_for_status().json()
    assert (job["state"], job["verdict"], job["plan"]) == ("pr_open", "proven", 1)
    assert job["cost"]["exact"]
    assert written["done"]
    assert written["entries"]
    with httpx.Client() as bucket:
        [attempt] = record["attempts"]
        for name, url in attempt["files"].items():
            assert bucket.get(url).raise_for_status().content, name
    headers = {"authorization": f"Bearer {cloud.credentials.person}"}
    with httpx.Client(base_url=cloud.addresses.github, headers=headers) as github:
        number = _pull(run.printed)[1]
        pull = github.get(f"/repos/acme/larder/pulls/{number}").raise_for_status().json()
    assert pull["draft"]
    for heading in ("Without the change", "The new tests without the change", "With the change"):
        [log] = re.findall(rf"<summary>{heading}: status \d+, .*\n([^<]+)", pull["body"])
        assert re.search(r"Ran \d+ tests", log), pull["body"]


def test_a_second_run_doubles_nothing(cloud: Cloud) -> None:
    """208 items under as many ids, one hook, each issue once, one pull request."""
    with client(cloud.folder) as api:
        assert len(feedback(api, "larder")) == 208
        assert len(api.get("/jobs", params={"project": "larder"}).json()["items"]) == 1
    headers = {"authorization": f"Bearer {cloud.credentials.person}"}
    with httpx.Client(base_url=cloud.addresses.github, headers=headers) as github:
        assert len(github.get("/repos/acme/larder/hooks").json()) == 1
        issues: list[Any] = github.get(
            "/repos/acme/larder/issues", params={"state": "all", "per_page": "100"}
        ).json()
    pulls = [issue for issue in issues if "pull_request" in issue]
    assert (len(issues), len(pulls)) == (37, 1)
