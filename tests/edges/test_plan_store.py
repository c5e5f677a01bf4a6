from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.plan_store import Newer, PlanStore, plan_in
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Conflict, Decision, NotThere
from soulcaster.rules.plan import (
    MAX_FILES,
    MAX_VERSIONS,
    PATH_CHARS,
    PROBLEM_CHARS,
    REPRODUCTION_CHARS,
    VERIFICATION_CHARS,
    Plan,
)
from soulcaster.rules.project import Project
from tests.edges.clusters import clustered
from tests.edges.servers import command, everything
from tests.rules.samples import NOW, feedback

PLAN = Plan("Export loses a row.", "1. Export.", ("larder/export.py",), "Count rows.")
OTHER = replace(PLAN, problem="Import adds a row.")


@pytest.fixture
def plans(redis: Redis) -> PlanStore:
    return PlanStore(redis)


@pytest.fixture
def cluster(redis: Redis, project: Project) -> str:
    """A cluster of three items, one younger than the other."""
    items = [
        feedback(external_id=f"issue:{n}", title=f"Title {n}", created_at=NOW + n) for n in range(3)
    ]
    return clustered(redis, *items, name="Export")


def merged(redis: Redis, cluster: str) -> str:
    """The id of a cluster that was merged into ``cluster``."""
    gone = clustered(redis, feedback(external_id="gone"))
    CorrectionStore(redis).merge("larder", cluster, [gone], Decision("test", "", NOW))
    return gone


def numbers(plans: PlanStore, cluster: str) -> list[int]:
    return [version["version"] for version in plans.versions(cluster)[1]]


def test_material_is_the_cluster_and_its_newest_reports(
    plans: PlanStore, cluster: str, project: Project
) -> None:
    """Its name and summary, as many reports as wanted, the newest first, and the project."""
    found = plans.material(cluster, 2)
    assert (found.name, found.summary, found.versions) == ("Export", "In short.", 0)
    assert found.reports == (("Title 2", feedback().body), ("Title 1", feedback().body))
    assert (found.project.id, found.project.repository) == ("larder", project.repository)
    plans.add(cluster, PLAN, "model", NOW, 0)
    assert plans.material(cluster, 2).versions == 1


def test_versions_are_kept(plans: PlanStore, cluster: str) -> None:
    """Each says what, who and when; the newest comes first and changes none before it."""
    first, made = plans.add(cluster, PLAN, "model", NOW, 0)
    assert made
    assert first == {
        "version": 1,
        "at": NOW,
        "by": "model",
        "problem": "Export loses a row.",
        "reproduction": "1. Export.",
        "files": ["larder/export.py"],
        "verification": "Count rows.",
        "approved_at": None,
        "approved_by": None,
    }
    second, made = plans.add(cluster, OTHER, "ada", NOW + 1, 1)
    assert made
    assert (second["version"], second["by"]) == (2, "ada")
    assert plans.versions(cluster) == (None, [second, first])


def test_a_repeated_write_adds_nothing(plans: PlanStore, cluster: str, redis_url: str) -> None:
    """After a lost reply the same version is found, whoever asks and whatever it is based on."""
    plans.add(cluster, PLAN, "model", NOW, 0)
    edited, _ = plans.add(cluster, OTHER, "ada", NOW + 1, 1)
    before = everything(redis_url)
    for by, based_on in (("ada", 1), ("ada", 2), ("model", 2)):
        assert plans.add(cluster, OTHER, by, NOW + 9, based_on) == (edited, False)
    assert everything(redis_url) == before


def test_what_was_said_before_can_be_said_again(plans: PlanStore, cluster: str) -> None:
    """Going back to an earlier text is a version like any other."""
    for number, plan in enumerate([PLAN, OTHER, PLAN]):
        assert plans.add(cluster, plan, "ada", NOW, number)[1]
    assert numbers(plans, cluster) == [3, 2, 1]


@pytest.mark.parametrize(
    "changed",
    [
        replace(PLAN, problem="x"),
        replace(PLAN, reproduction="x"),
        replace(PLAN, verification="x"),
        replace(PLAN, files=()),
        replace(PLAN, files=("x.py", *PLAN.files)),
        Plan(PLAN.reproduction, PLAN.problem, PLAN.files, PLAN.verification),
    ],
)
def test_any_change_is_a_version(plans: PlanStore, cluster: str, changed: Plan) -> None:
    """Whichever part differs, and if two only changed places."""
    plans.add(cluster, PLAN, "ada", NOW, 0)
    assert plans.add(cluster, changed, "ada", NOW, 1)[1]


@pytest.mark.parametrize(("there", "based_on"), [(0, 1), (1, 0), (2, 1), (1, 2), (2, 50)])
def test_who_has_not_read_the_latest_version_writes_none(
    plans: PlanStore, cluster: str, redis_url: str, there: int, based_on: int
) -> None:
    """A conflict that tells the latest one, and nothing has happened."""
    latest = None
    for number, plan in enumerate([PLAN, OTHER][:there]):
        latest, _ = plans.add(cluster, plan, "model", NOW, number)
    before = everything(redis_url)
    with pytest.raises(Newer, match=f"the latest version is {there}") as newer:
        plans.add(cluster, replace(PLAN, problem="New."), "ada", NOW, based_on)
    assert newer.value.latest == latest
    assert everything(redis_url) == before


def test_of_edits_at_once_one_wins(plans: PlanStore, cluster: str) -> None:
    """All others are told so, and the winner's version is the only one."""
    plans.add(cluster, PLAN, "model", NOW, 0)

    def edit(number: int) -> Any:
        try:
            return plans.add(cluster, replace(PLAN, problem=f"{number}"), "ada", NOW, 1)[0]
        except Newer:
            return None

    with ThreadPoolExecutor(8) as pool:
        (won,) = filter(None, pool.map(edit, range(8)))
    assert plans.versions(cluster)[1][0] == won
    assert numbers(plans, cluster) == [2, 1]


def test_versions_have_a_limit(plans: PlanStore, cluster: str) -> None:
    """At it a conflict says so, before a model is asked; the latest can still be repeated."""
    for number in range(MAX_VERSIONS):
        latest = replace(PLAN, problem=f"{number}")
        plans.add(cluster, latest, "ada", NOW, number)
    for full in (
        lambda: plans.add(cluster, PLAN, "ada", NOW, MAX_VERSIONS),
        lambda: plans.material(cluster, 1),
    ):
        with pytest.raises(Conflict, match="50 versions, which is the limit"):
            full()
    assert plans.add(cluster, latest, "ada", NOW, MAX_VERSIONS)[1] is False
    assert plans.approve(cluster, MAX_VERSIONS, "ada", NOW)["version"] == MAX_VERSIONS
    assert len(numbers(plans, cluster)) == MAX_VERSIONS


@pytest.mark.parametrize("files", [(), ("larder/export.py", "é.py")])
def test_an_approval_is_all_that_changes(
    plans: PlanStore, cluster: str, redis_url: str, files: tuple[str, ...]
) -> None:
    """The version says who approved it and when, the cluster which one fixes run on."""
    tricky = Plan('"files":{} "files":[] é味🥫 \\ / </item>', '{"files":{}}', files, "\t\n1.0 null")
    made, _ = plans.add(cluster, tricky, "model", NOW, 0)
    plans.add(cluster, OTHER, "ada", NOW, 1)
    approved = plans.approve(cluster, 1, "ada", NOW + 7)
    assert approved == {**made, "approved_at": NOW + 7, "approved_by": "ada"}
    assert plans.versions(cluster)[0] == 1
    assert plans.versions(cluster)[1][1] == approved
    assert command(redis_url, "HGET", f"p:larder:cl:{cluster}", "plan") == "1"
    assert plan_in(command(redis_url, "LINDEX", f"p:larder:cl:{cluster}:plans", 0)) == tricky


def test_to_approve_again_changes_nothing(plans: PlanStore, cluster: str, redis_url: str) -> None:
    """The first approval stands, until another version was approved in between."""
    plans.add(cluster, PLAN, "model", NOW, 0)
    plans.add(cluster, OTHER, "ada", NOW, 1)
    first = plans.approve(cluster, 1, "ada", NOW + 1)
    before = everything(redis_url)
    assert plans.approve(cluster, 1, "bob", NOW + 2) == first
    assert everything(redis_url) == before
    assert plans.approve(cluster, 2, "bob", NOW + 3)["approved_by"] == "bob"
    assert plans.approve(cluster, 1, "bob", NOW + 4)["approved_at"] == NOW + 4
    assert plans.versions(cluster)[0] == 1


def test_a_later_version_leaves_the_approved_one(plans: PlanStore, cluster: str) -> None:
    """A new version must be approved before a fix runs on it."""
    plans.add(cluster, PLAN, "model", NOW, 0)
    plans.approve(cluster, 1, "ada", NOW)
    plans.add(cluster, OTHER, "model", NOW, 1)
    approved, versions = plans.versions(cluster)
    assert approved == 1
    assert versions[0]["approved_at"] is None


def test_the_longest_plan_comes_back(plans: PlanStore, cluster: str) -> None:
    """As it was written, also after its approval."""
    longest = Plan(
        "味" * PROBLEM_CHARS,
        "🥫" * REPRODUCTION_CHARS,
        tuple(f"{n:x>{PATH_CHARS}}" for n in range(MAX_FILES)),
        '"' * VERIFICATION_CHARS,
    )
    made, _ = plans.add(cluster, longest, "model", NOW, 0)
    assert (made["problem"], made["files"]) == (longest.problem, list(longest.files))
    approved = plans.approve(cluster, 1, "ada", NOW)
    assert {**approved, "approved_at": None, "approved_by": None} == made


@pytest.mark.parametrize("wanted", ["cl_larder_none", "cl_other_none", "garbage", ""])
def test_what_is_not_there_has_no_plan(
    plans: PlanStore, cluster: str, redis_url: str, wanted: str
) -> None:
    """Neither is it planned for nor is anything written or approved."""
    before = everything(redis_url)
    for action in (
        lambda: plans.material(wanted, 5),
        lambda: plans.add(wanted, PLAN, "ada", NOW, 0),
        lambda: plans.approve(wanted, 1, "ada", NOW),
        lambda: plans.versions(wanted),
    ):
        with pytest.raises(NotThere, match="cluster"):
            action()
    assert everything(redis_url) == before


@pytest.mark.parametrize("version", [0, 2, 50])
def test_a_version_that_is_not_there_is_not_approved(
    plans: PlanStore, cluster: str, redis_url: str, version: int
) -> None:
    """Nothing has happened; 0 is not the last one."""
    plans.add(cluster, PLAN, "model", NOW, 0)
    before = everything(redis_url)
    with pytest.raises(NotThere, match="plan"):
        plans.approve(cluster, version, "ada", NOW)
    assert everything(redis_url) == before


def test_what_was_merged_is_planned_elsewhere(
    plans: PlanStore, redis: Redis, cluster: str, redis_url: str
) -> None:
    """A conflict that names the cluster its items are in; its versions can still be read."""
    gone = merged(redis, cluster)
    before = everything(redis_url)
    for action in (
        lambda: plans.material(gone, 5),
        lambda: plans.add(gone, PLAN, "ada", NOW, 0),
        lambda: plans.approve(gone, 1, "ada", NOW),
    ):
        with pytest.raises(Conflict, match=f"merged into {cluster}"):
            action()
    assert everything(redis_url) == before
    assert plans.versions(gone) == (None, [])


def test_projects_do_not_meet(plans: PlanStore, redis: Redis, cluster: str, redis_url: str) -> None:
    """All that a plan writes is in its cluster's project."""
    ProjectStore(redis).put(Project(id="other", name="Other"), new=True)
    before = everything(redis_url)
    plans.add(cluster, PLAN, "model", NOW, 0)
    plans.approve(cluster, 1, "ada", NOW)
    after = everything(redis_url)
    written = {key for key in after if after[key] != before.get(key)}
    assert written == {f"p:larder:cl:{cluster}", f"p:larder:cl:{cluster}:plans"}
