"""Plans: drafted by a model, edited and approved by people."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from local import gemini
from local.embedder import Embedder
from local.serve import free_port, running
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.plan_store import PlanStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Decision
from soulcaster.rules.plan import MAX_VERSIONS, Plan
from soulcaster.rules.project import Project
from tests.api.planning import WANTED, Model, edited, plans
from tests.conftest import MODEL
from tests.edges.clusters import clustered
from tests.edges.servers import TOKEN, everything
from tests.rules.samples import NOW, feedback

GEMINI = "GOOGLE_GEMINI_BASE_URL"
FOREIGN = ["cl_larder_00", "cl_other_00", "fb_larder_00", "garbage", "%00", "é"]


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    items = [feedback(external_id=f"issue:{n}") for n in range(2)]
    return clustered(redis, *items, name="Export")


@pytest.fixture(scope="module")
def gemini_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the local Gemini."""
    model = MODEL if MODEL.exists() else tmp_path_factory.mktemp("model")
    with running(gemini.app(Embedder(model), TOKEN)) as url:
        yield url


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A model that answers what it is told."""
    told = Model()
    with running(told.app) as url:
        monkeypatch.setenv(GEMINI, url)
        yield told


def test_a_plan_is_drafted_edited_and_approved(
    api: TestClient, cluster: str, gemini_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each version is kept with who wrote it; fixes run on the one that was approved."""
    monkeypatch.setenv(GEMINI, gemini_url)
    assert plans(api, cluster) == {"approved": None, "versions": []}
    first = api.post(f"/clusters/{cluster}/plan")
    assert first.status_code == 201
    drafted = first.json()
    assert (drafted["version"], drafted["by"], drafted["files"]) == (1, "model", [])
    assert feedback().title in drafted["problem"]
    second = api.put(f"/clusters/{cluster}/plan", json=edited(1))
    assert second.status_code == 200
    written = second.json()
    assert (written["version"], written["by"]) == (2, "ada")
    assert {name: written[name] for name in WANTED} == WANTED
    assert plans(api, cluster) == {"approved": None, "versions": [written, drafted]}
    approval = api.post(f"/clusters/{cluster}/plans/2/approve")
    assert approval.status_code == 200
    approved = approval.json()
    assert approved["approved_by"] == "ada"
    assert approved == {**written, **{k: approved[k] for k in ("approved_at", "approved_by")}}
    assert plans(api, cluster) == {"approved": 2, "versions": [approved, drafted]}


def test_asking_again_for_the_same_plan_adds_nothing(
    api: TestClient, redis_server: str, cluster: str, model: Model
) -> None:
    """200 with the version that is there, by whomever; a different plan is a new version."""
    first = api.post(f"/clusters/{cluster}/plan")
    before = everything(redis_server)
    again = api.post(f"/clusters/{cluster}/plan")
    same = api.put(f"/clusters/{cluster}/plan", json=edited(1))
    assert [answer.status_code for answer in (first, again, same)] == [201, 200, 200]
    assert first.json() == again.json() == same.json()
    assert everything(redis_server) == before
    model.plan = {**WANTED, "problem": "Something else."}
    assert api.post(f"/clusters/{cluster}/plan").json()["version"] == 2


def test_a_repeated_edit_is_made_once(api: TestClient, cluster: str) -> None:
    """After a lost reply the same request gets the same answer."""
    first = api.put(f"/clusters/{cluster}/plan", json=edited(0))
    again = api.put(f"/clusters/{cluster}/plan", json=edited(0))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert len(plans(api, cluster)["versions"]) == 1


def test_of_drafts_at_once_one_is_kept(
    api: TestClient, redis: Redis, cluster: str, model: Model
) -> None:
    """Who asks while another draft is being made gets that one."""
    other = Plan("Meanwhile.", "", (), "")
    model.meanwhile = lambda: PlanStore(redis).add(cluster, other, "model", NOW, 0)
    answer = api.post(f"/clusters/{cluster}/plan")
    assert (answer.status_code, answer.json()["problem"]) == (200, "Meanwhile.")
    assert len(plans(api, cluster)["versions"]) == 1


def test_a_draft_does_not_bury_an_edit(
    api: TestClient, redis: Redis, cluster: str, model: Model
) -> None:
    """What a person wrote while the model drafted stays the latest; who asked is told."""
    other = Plan("Mine.", "", (), "")
    model.meanwhile = lambda: PlanStore(redis).add(cluster, other, "bob", NOW, 0)
    answer = api.post(f"/clusters/{cluster}/plan")
    assert answer.status_code == 409
    assert [each["problem"] for each in plans(api, cluster)["versions"]] == ["Mine."]


def test_an_edit_of_an_older_version_is_a_conflict(
    api: TestClient, redis_server: str, cluster: str
) -> None:
    """409 that names the latest version, and nothing has happened."""
    for number in range(2):
        api.put(f"/clusters/{cluster}/plan", json=edited(number, problem=f"{number}"))
    before = everything(redis_server)
    for based_on in (0, 1, 3):
        answer = api.put(f"/clusters/{cluster}/plan", json=edited(based_on, problem="New."))
        assert answer.status_code == 409
        assert answer.json() == {"detail": "based_on: the latest version is 2; read it first"}
    assert everything(redis_server) == before


def test_of_edits_at_once_one_wins(api: TestClient, cluster: str) -> None:
    """All others are conflicts."""

    def edit(number: int) -> int:
        body = edited(0, problem=f"Problem {number}.")
        return api.put(f"/clusters/{cluster}/plan", json=body).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(edit, range(6))) == [200, *[409] * 5]
    assert len(plans(api, cluster)["versions"]) == 1


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_model_that_fails_is_a_503(
    api: TestClient, redis_server: str, cluster: str, model: Model, status: int
) -> None:
    """It says when to come again and nothing about our inside, and no version was made."""
    model.status = status
    before = everything(redis_server)
    answer = api.post(f"/clusters/{cluster}/plan")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json() == {"detail": "the model did not answer; try again"}
    assert model.calls == 1
    assert everything(redis_server) == before


def test_a_model_that_talks_nonsense_or_is_not_there_is_a_503(
    api: TestClient, cluster: str, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No plan is made up."""
    model.plan = {**WANTED, "problem": ""}
    assert api.post(f"/clusters/{cluster}/plan").status_code == 503
    monkeypatch.setenv(GEMINI, f"http://127.0.0.1:{free_port()}")
    assert api.post(f"/clusters/{cluster}/plan").status_code == 503
    assert plans(api, cluster)["versions"] == []


def test_without_a_model_people_can_plan(api: TestClient, cluster: str) -> None:
    """The first version may be a person's."""
    assert api.put(f"/clusters/{cluster}/plan", json=edited(0)).json()["version"] == 1
    assert api.post(f"/clusters/{cluster}/plans/1/approve").status_code == 200


def test_each_step_is_one_round_trip(
    api: TestClient, cluster: str, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drafting takes two and one call of the model."""
    ran: list[str] = []
    run = Redis.run

    def counted(redis: Redis, script: str, *args: str | float) -> Any:
        ran.append(script)
        return run(redis, script, *args)

    monkeypatch.setattr(Redis, "run", counted)
    api.post(f"/clusters/{cluster}/plan")
    api.put(f"/clusters/{cluster}/plan", json=edited(1, problem="New."))
    api.post(f"/clusters/{cluster}/plans/1/approve")
    plans(api, cluster)
    assert ran == ["plan_brief", "plan_add", "plan_add", "plan_approve", "plan_list"]
    assert model.calls == 1


def test_the_limit_is_told_before_the_model_is_asked(
    api: TestClient, redis: Redis, cluster: str, model: Model
) -> None:
    """409 for a further draft or edit."""
    for number in range(MAX_VERSIONS):
        PlanStore(redis).add(cluster, Plan(f"{number}", "", (), ""), "model", NOW, number)
    draft = api.post(f"/clusters/{cluster}/plan")
    edit = api.put(f"/clusters/{cluster}/plan", json=edited(MAX_VERSIONS))
    assert (draft.status_code, edit.status_code, model.calls) == (409, 409, 0)
    assert "50 versions" in draft.json()["detail"]
    assert len(plans(api, cluster)["versions"]) == MAX_VERSIONS


def test_a_merged_cluster_is_planned_elsewhere(
    api: TestClient, redis: Redis, redis_server: str, cluster: str, model: Model
) -> None:
    """409 that names the cluster its items are in."""
    api.put(f"/clusters/{cluster}/plan", json=edited(0))
    other = clustered(redis, feedback(external_id="other"))
    CorrectionStore(redis).merge("larder", other, [cluster], Decision("test", "", NOW))
    before = everything(redis_server)
    for answer in (
        api.post(f"/clusters/{cluster}/plan"),
        api.put(f"/clusters/{cluster}/plan", json=edited(1, problem="New.")),
        api.post(f"/clusters/{cluster}/plans/1/approve"),
    ):
        assert answer.status_code == 409
        assert other in answer.json()["detail"]
    assert everything(redis_server) == before
    assert model.calls == 0
    assert len(plans(api, cluster)["versions"]) == 1


@pytest.mark.parametrize("wanted", FOREIGN)
def test_what_is_not_there_has_no_plan(
    api: TestClient, redis_server: str, cluster: str, model: Model, wanted: str
) -> None:
    """404 for what is not there, another project's and what is no cluster; no model is asked."""
    before = everything(redis_server)
    for answer in (
        api.post(f"/clusters/{wanted}/plan"),
        api.put(f"/clusters/{wanted}/plan", json=edited(0)),
        api.get(f"/clusters/{wanted}/plans"),
        api.post(f"/clusters/{wanted}/plans/1/approve"),
    ):
        assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such cluster"})
    assert everything(redis_server) == before
    assert model.calls == 0


def test_only_the_key_opens_plans(
    anybody: TestClient, redis_server: str, cluster: str, model: Model
) -> None:
    """401 for everybody else, and nothing has happened."""
    before = everything(redis_server)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        for method, path in (
            ("POST", "plan"),
            ("PUT", "plan"),
            ("GET", "plans"),
            ("POST", "plans/1/approve"),
        ):
            url = f"/clusters/{cluster}/{path}"
            assert anybody.request(method, url, json=edited(0), headers=headers).status_code == 401
    assert everything(redis_server) == before
    assert model.calls == 0
