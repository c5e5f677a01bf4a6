"""Calls to the control plane are repeated where a repetition can help."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from soulcaster_agent.api import PAUSES, Api, RefusedError, UnreachableError
from soulcaster_agent.budget import Spent
from soulcaster_agent.job import MalformedJobError, is_loopback, parse_job
from soulcaster_agent.report import Report
from tests.agent.control_plane import SIGNATURE, ControlPlane

type Answer = httpx.Response | Exception


def api(answers: list[Answer], pauses: list[float]) -> Api:
    """An API that gives these answers one after the other."""

    def answer(_request: httpx.Request) -> httpx.Response:
        nxt = answers.pop(0)
        if isinstance(nxt, Exception):
            raise nxt
        return nxt

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Api("http://api.test/", http, pauses.append)


BEAT: dict[str, Any] = {"granted": 2.5, "log": 1}
CALLS: list[Callable[[Api], object]] = [
    lambda api: api.finish(Report("failed", "engine", "reason", "")),
    lambda api: api.upload("http://s3.test/patch", b"{}"),
    lambda api: api.proving(Spent()),
    lambda api: api.claim("ticket"),
]


@pytest.mark.parametrize("call", CALLS[:3])
@pytest.mark.parametrize(
    "problem",
    [
        *(httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.DecodingError("torn")),
        httpx.Response(503),
    ],
)
def test_a_passing_fault_is_outlasted(call: Callable[[Api], object], problem: Answer) -> None:
    """Transport errors and 5xx are tried again after growing pauses."""
    pauses: list[float] = []
    call(api([problem, problem, httpx.Response(200)], pauses))
    assert pauses == list(PAUSES[:2])


@pytest.mark.parametrize("call", CALLS)
def test_trying_again_has_an_end(call: Callable[[Api], object]) -> None:
    """After the last pause the caller hears what was wrong."""
    pauses: list[float] = []
    with pytest.raises(UnreachableError, match="503 overloaded"):
        call(api([httpx.Response(503, text="overloaded") for _ in range(6)], pauses))
    assert pauses == list(PAUSES)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_refusal_is_final(call: Callable[[Api], object], status: int) -> None:
    """A 4xx is not tried again."""
    pauses: list[float] = []
    with pytest.raises(RefusedError, match=str(status)):
        call(api([httpx.Response(status)], pauses))
    assert pauses == []


def test_a_heartbeat_is_not_repeated() -> None:
    """The next beat is the retry; a late one says nothing."""
    with pytest.raises(UnreachableError):
        api([httpx.ConnectError("no")], []).heartbeat(Spent(), 0, 0, [])


def test_a_question_is_repeated() -> None:
    """A beat that a model call waits for is worth more than one try."""
    pauses: list[float] = []
    answers: list[Answer] = [httpx.Response(503), httpx.Response(200, json=BEAT)]
    beat = api(answers, pauses).heartbeat(Spent(), 1.5, 0, ["text"], pauses=PAUSES)
    assert (beat.granted, beat.stored) == (2.5, 1)
    assert pauses == list(PAUSES[:1])


@pytest.mark.parametrize("answer", [{}, [], None, BEAT | {"log": None}, BEAT | {"granted": "much"}])
def test_a_beat_that_can_not_be_read_is_none(answer: Any) -> None:
    """Nothing is spent and nothing is taken for stored because of it."""
    with pytest.raises(UnreachableError):
        api([httpx.Response(200, json=answer)], []).heartbeat(Spent(), 0, 0, [])


@pytest.mark.parametrize("granted", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("log", ["0", "Infinity"])
def test_no_beat_grants_without_end(granted: str, log: str) -> None:
    """An amount that is none is not compared with the budget."""
    answer = httpx.Response(200, text=f'{{"granted": {granted}, "log": {log}}}')
    with pytest.raises(UnreachableError):
        api([answer], []).heartbeat(Spent(), 0, 0, [])


@pytest.mark.parametrize("missing", ["job_id", "deadline", "repository", "uploads", "token"])
def test_a_job_that_lacks_something_says_what(plane: ControlPlane, missing: str) -> None:
    """A claim's answer is checked before anything is started."""
    answer = plane.job()
    del answer[missing]
    with pytest.raises(MalformedJobError, match=missing):
        parse_job(answer)


@pytest.mark.parametrize("answer", [None, [], "text", {"repository": 1}])
def test_an_answer_that_is_no_job_is_refused(answer: object) -> None:
    """Nothing but the one error comes out of parsing."""
    with pytest.raises(MalformedJobError):
        parse_job(answer)


def test_a_job_says_what_it_may_do(plane: ControlPlane) -> None:
    """Engine, times, grant, tests, hosts and addresses are as the claim names them."""
    answer = plane.job() | {
        "engine": "mini-swe-agent",
        "engine_deadline": 5.0,
        "budget": {"dollars": 2, "tokens": 10, "granted": 0.5},
        "tests": {"setup": "make ready", "command": "make test"},
        "egress": ["PyPI.org", "files.pythonhosted.org", "pypi.org"],
    }
    job = parse_job(answer)
    assert (job.engine, job.engine_deadline, job.granted) == ("mini-swe-agent", 5.0, 0.5)
    assert (job.tests.setup, job.tests.command) == ("make ready", "make test")
    assert job.egress == ("pypi.org", "files.pythonhosted.org")
    assert (job.proof_url, job.result_url) == (answer["uploads"]["proof"], job.result_url)


def test_a_job_that_says_no_more_has_safe_defaults(plane: ControlPlane) -> None:
    """All of the time and the budget are the engine's, and no host can be reached."""
    answer = plane.job()
    answer["uploads"] = {"patch": "http://s3.test/patch", "log": "http://s3.test/log"}
    job = parse_job(answer)
    assert (job.engine, job.engine_deadline) == ("kilo", job.deadline)
    assert (job.granted, job.egress) == (job.budget.dollars, ())
    assert (job.tests.setup, job.tests.command, job.proof_url, job.result_url) == ("", "", "", "")


@pytest.mark.parametrize("granted", [-1, "NaN", "much"])
def test_a_grant_that_is_none_is_refused(plane: ControlPlane, granted: object) -> None:
    """No job starts on an amount that can't be compared."""
    with pytest.raises(MalformedJobError):
        parse_job(plane.job() | {"budget": {"granted": granted}})


def test_no_more_than_the_budget_is_granted(plane: ControlPlane) -> None:
    """A grant above the budget is the budget, and the engine ends before the attempt."""
    answer = plane.job() | {"budget": {"dollars": 1, "granted": 7}}
    job = parse_job(answer | {"engine_deadline": answer["deadline"] + 100})
    assert (job.granted, job.engine_deadline) == (1, job.deadline)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "a..b", "-a.b", "a.b/c", "http://a.b", "a b", "", "a" * 64, 1]
)
def test_what_is_no_host_name_is_refused(plane: ControlPlane, host: object) -> None:
    """An address or a piece of one opens nothing."""
    with pytest.raises(MalformedJobError, match="egress"):
        parse_job(plane.job() | {"egress": ["pypi.org", host]})


def test_a_signature_is_a_secret_of_its_own(plane: ControlPlane) -> None:
    """A presigned address is hidden also where only a part of it is shown."""
    job = parse_job(plane.job())
    assert SIGNATURE in job.secrets()
    assert {job.patch_url, job.proof_url, job.result_url} < set(job.secrets())


def test_a_job_does_not_show_its_secrets(plane: ControlPlane) -> None:
    """A job that lands in a traceback or a log gives nothing away."""
    job = parse_job(plane.job())
    shown = repr(job)
    assert [secret for secret in job.secrets() if secret in shown] == []


@pytest.mark.parametrize("price", [{"read": -1}, {"written": "NaN"}, {"read": "much"}])
def test_a_price_that_is_none_is_refused(plane: ControlPlane, price: dict[str, Any]) -> None:
    """No job runs on a price that its budget could not stop."""
    answer = plane.job()
    answer["model"] |= {"price": price}
    with pytest.raises(MalformedJobError):
        parse_job(answer)


@pytest.mark.parametrize("budget", [{"dollars": "inf"}, {"dollars": -1}, {"tokens": -1}])
def test_a_budget_that_is_none_is_refused(plane: ControlPlane, budget: dict[str, Any]) -> None:
    """No job runs without an end to what it may cost."""
    with pytest.raises(MalformedJobError):
        parse_job(plane.job() | {"budget": budget})


def test_a_job_without_budget_has_the_default_one(plane: ControlPlane) -> None:
    """A control plane that says nothing gets the safe limits."""
    job = parse_job(plane.job())
    assert (job.budget.dollars, job.budget.tokens) == (5, 3_000_000)
    assert (job.price.read, job.price.written) == (5, 25)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        *(("http://127.0.0.1:8/v1", True), ("http://[::1]:8/v1", True), ("http://localhost", True)),
        *(("https://model.example", False), ("http://127.0.0.1@evil.example/", False)),
        *(("http://127.0.0.1.evil.example/", False), ("/srv/repository.git", False), ("", False)),
    ],
)
def test_what_is_on_this_machine(url: str, local: bool) -> None:
    """An address that only looks local is not."""
    assert is_loopback(url) is local
