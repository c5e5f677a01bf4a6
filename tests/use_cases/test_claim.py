"""What a task gets for its ticket, and what its report is worth."""

from soulcaster.edges.job_store import JobStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.rules.job import credential
from soulcaster.rules.project import Project
from tests.support import seeds, state
from tests.support.tap import Fault
from tests.use_cases.conftest import Fixing


def test_a_claim_notes_what_the_fix_is_for(fixing: Fixing) -> None:
    """The deadline that the task is told is the job's, and the cluster's name is kept with it."""
    job = seeds.job(fixing.world, fixing.cluster, "starting")
    status, held = fixing.ask("claim", {"ticket": fixing.ticket(job)})
    assert status == 200
    state.redis(fixing.world, "HSET", f"p:larder:cl:{fixing.cluster}", "name", "Renamed")
    brief = state.redis(
        fixing.world, "HMGET", f"p:larder:job:{job}", "state", "title", "deadline", "updated"
    )
    assert brief[:2] == ["running", "Import loses the last line"]
    assert int(brief[2]) == held["deadline"] * 1000
    assert 0 <= int(brief[3]) + 30 * 60_000 - int(brief[2]) < 1000
    assert fixing.ask("claim", {"ticket": fixing.ticket(job)})[0] == 409


def test_a_repository_out_of_reach_ends_the_job(fixing: Fixing) -> None:
    """Where the App is not installed no attempt will succeed: the job fails and says why."""
    changed = Project(id=seeds.PROJECT, name="Larder", repository="acme/nowhere")
    ProjectStore(seeds.redis(fixing.world)).put(changed, new=False)
    job = seeds.job(fixing.world, fixing.cluster, "starting")
    status, answer = fixing.ask("claim", {"ticket": fixing.ticket(job)})
    assert (status, "404" in answer["error"]) == (409, True)
    outcome, reason = fixing.outcome(job)
    assert outcome == "failed"
    assert reason.startswith("acme/nowhere can't be read: GitHub: 404")
    assert "job" not in state.records(fixing.world, "cl")[fixing.cluster]


def test_an_outage_of_github_ends_nothing(fixing: Fixing) -> None:
    """The task is told to come again, and the same ticket is good for that."""
    job = seeds.job(fixing.world, fixing.cluster, "starting")
    with fixing.world.tap.faulty(Fault(502, system="github")):
        assert fixing.ask("claim", {"ticket": fixing.ticket(job)})[0] == 503
    assert fixing.outcome(job)[0] == "starting"
    assert fixing.ask("claim", {"ticket": fixing.ticket(job)})[0] == 200


def test_a_report_pins_its_patch(fixing: Fixing) -> None:
    """What the task says that it has uploaded is published, under the title of the claim."""
    job = seeds.job(fixing.world, fixing.cluster, "starting")
    _, held = fixing.ask("claim", {"ticket": fixing.ticket(job)})
    patch = fixing.patch(fixing.base)
    fixing.world.http.put(held["uploads"]["patch"], content=patch).raise_for_status()
    report = {"outcome": "patch", "patch_sha256": fixing.upload(job, patch)}
    assert fixing.ask("finish", report, held["token"])[0] == 409, "nothing was proven"
    assert fixing.ask("proving", {}, held["token"]) == (200, {})
    assert fixing.ask("finish", report, held["token"]) == (202, {"state": "publishing"})
    fixing.world.drain("PublishQueue")
    assert fixing.outcome(job)[0] == "pr_open"
    assert fixing.pulls[0]["title"] == "Fix: Import loses the last line"


def test_a_task_may_spend_what_is_left(fixing: Fixing) -> None:
    """The job's budget less what lost attempts were allowed, but a third of it at once."""
    job = seeds.job(fixing.world, fixing.cluster, "running", granted="4800000")
    JobStore(seeds.redis(fixing.world)).move(job, 1, "queued", seeds.THEN, "lost")
    JobStore(seeds.redis(fixing.world)).move(job, 2, "starting", seeds.THEN, "x")
    _, held = fixing.ask("claim", {"ticket": fixing.ticket(job, 2)})
    assert (held["budget"]["dollars"], held["budget"]["granted"]) == (0.2, 0.066666)
    wants = {"wants": 3.0, "spent": {"dollars": 0.1}}
    assert fixing.ask("heartbeat", wants, held["token"]) == (200, {"granted": 0.2, "log": 0})
    stored = fixing.stored(job)
    amounts = [stored[name] for name in ("granted", "spent", "charged")]
    assert amounts == ["200000", "100000", "4800000"]


def test_a_job_without_money_ends(fixing: Fixing) -> None:
    """No attempt is made with less than a cent."""
    job = seeds.job(fixing.world, fixing.cluster, "running", granted="4995000")
    JobStore(seeds.redis(fixing.world)).move(job, 1, "queued", seeds.THEN, "lost")
    JobStore(seeds.redis(fixing.world)).move(job, 2, "starting", seeds.THEN, "x")
    assert fixing.ask("claim", {"ticket": fixing.ticket(job, 2)})[0] == 409
    stored = fixing.stored(job)
    assert (stored["state"], stored["cause"]) == ("over_budget", "budget")
    assert (stored["cost"], stored["cost_exact"]) == ("4995000", "0")


def test_no_body_is_a_server_error(fixing: Fixing) -> None:
    """What no task of ours would send is the sender's error, with a credential or without."""
    for ticket in ("\ud800.1.x", f"{'9' * 5_000}.1.x", ""):
        assert fixing.ask("claim", {"ticket": ticket})[0] == 401
    job = seeds.job(fixing.world, fixing.cluster, "running")
    token = credential(fixing.world.secrets["TicketKey"], "callback", job, 1)
    for amount in (10**400, -1, True, "1", float("nan"), float("inf")):
        assert fixing.ask("heartbeat", {"wants": amount}, token)[0] == 400
        assert fixing.ask("heartbeat", {"spent": {"dollars": amount}}, token)[0] == 400
    assert fixing.ask("finish", {"outcome": "patch", "verdict": "good"}, token)[0] == 400
    assert fixing.outcome(job)[0] == "running"
