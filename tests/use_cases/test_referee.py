"""Doubtful decisions are judged by a model, so many a day."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.serve import running
from soulcaster.edges.gemini import Gemini, Name
from soulcaster.edges.redis import Redis
from soulcaster.rules.grouping import assign
from soulcaster.use_cases.cluster_pending import Batch, Unclustered, cluster_pending
from soulcaster.use_cases.referee import DAY_MS
from tests.edges.servers import command
from tests.support.grouping import PROJECT, Topics, Working

type Used = Callable[[], int]

A = "cl_larder_a"


class Judge:
    """Gemini's wire: ``answer`` is the text of what it says to be judged, or an HTTP status."""

    def __init__(self) -> None:
        self.answer: str | int = "[]"
        self.prompts: list[str] = []
        self.app = Starlette(routes=[Route("/{path:path}", self.call, methods=["POST"])])

    async def call(self, request: Request) -> Response:
        """What was told to be answered."""
        body: dict[str, Any] = await request.json()
        assert body["generationConfig"]["responseSchema"]["type"] == "ARRAY"
        self.prompts += [part["text"] for each in body["contents"] for part in each["parts"]]
        if isinstance(self.answer, int):
            error = {"code": self.answer, "message": "no", "status": "X"}
            return JSONResponse({"error": error}, self.answer)
        return JSONResponse({"candidates": [{"content": {"parts": [{"text": self.answer}]}}]})

    def says(self, *same: bool) -> None:
        """A verdict on each pair."""
        self.answer = json.dumps([{"n": n, "same": one} for n, one in enumerate(same, 1)])

    @property
    def pairs(self) -> list[int]:
        """How many it was asked about in each call."""
        return [prompt.count("<pair ") for prompt in self.prompts]


class Judging(Gemini):
    """Vectors and names of the topics, judgements of the server."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "key", "topics", 64, "some-model")
        self._topics = Topics()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A vector of length 1 for each."""
        return self._topics.embed(texts)

    def name(self, texts: Sequence[str]) -> Name:
        """What the first is about."""
        return self._topics.name(texts)


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def gemini(judge: Judge) -> Iterator[Judging]:
    with running(judge.app) as url:
        yield Judging(url)


@pytest.fixture(autouse=True)
def _always_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the bars are."""
    monkeypatch.setattr(assign, "DOUBT", 100.0)


def run(working: Working, gemini: Gemini, per_day: int, owner: str = "a") -> Batch | None:
    """A batch with a referee."""
    return cluster_pending(
        PROJECT,
        owner,
        clusters=working.clusters,
        vectors=working.vectors,
        gemini=gemini,
        now=lambda: working.now,
        lease_ms=60_000,
        referee_per_day=per_day,
    )


def known(working: Working) -> None:
    """A cluster of three about one thing."""
    working.store(0, 0, 0)
    working.put(A)


@pytest.fixture
def used(working: Working, redis_url: str) -> Used:
    """Tells how many pairs count as asked today."""
    return lambda: int(
        command(redis_url, "GET", f"p:{PROJECT}:referee:{working.now // DAY_MS}") or 0
    )


def test_a_yes_joins_what_is_far_apart(working: Working, judge: Judge, gemini: Judging) -> None:
    """The item goes to the other's cluster, and says why."""
    known(working)
    (item,) = working.store(3)
    judge.says(True)
    run(working, gemini, 5)
    why = working.item(item)["why"]
    assert (working.where(item), why["because"]) == ([A], "referee")
    assert judge.pairs == [1]
    assert "login fails" in judge.prompts[0].partition("</one>")[0]
    assert "export loses rows" in judge.prompts[0].partition("</one>")[2]


def test_a_no_keeps_apart_what_is_near(working: Working, judge: Judge, gemini: Judging) -> None:
    """The item opens a cluster of its own, which the rule alone would not do."""
    known(working)
    (item,) = working.store(0)
    judge.says(False)
    run(working, gemini, 5)
    assert working.where(item) != [A]
    assert working.item(item)["why"]["because"] == "referee"


def test_it_is_off_unless_a_number_is_given(
    working: Working, judge: Judge, gemini: Judging, used: Used
) -> None:
    """No call, and nothing counted."""
    known(working)
    (item,) = working.store(0)
    run(working, gemini, 0)
    assert (working.where(item), judge.prompts, used()) == ([A], [], 0)
    assert working.item(item)["why"]["because"] == "similar"


def test_without_doubt_nobody_is_asked(
    working: Working,
    judge: Judge,
    gemini: Judging,
    used: Used,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was granted is given back."""
    monkeypatch.setattr(assign, "DOUBT", 0.0)
    known(working)
    working.store(0, 3)
    run(working, gemini, 5)
    assert (judge.prompts, used()) == ([], 0)


def test_a_day_has_so_many_pairs(
    working: Working, judge: Judge, gemini: Judging, used: Used
) -> None:
    """Over all batches; the next day it begins anew."""
    known(working)
    for _ in range(3):
        working.store(0, 3)
        run(working, gemini, 3)
    assert (judge.pairs, used()) == ([2, 1], 3)
    working.now += DAY_MS
    working.store(0)
    run(working, gemini, 3)
    assert judge.pairs == [2, 1, 1]


def test_a_batch_asks_once_about_the_most_doubtful(
    working: Working, judge: Judge, gemini: Judging, used: Used
) -> None:
    """Up to twenty pairs, those nearest to the bar, in one call."""
    known(working)
    items = [working.item(i) for i in working.store(*[0] * 25)]
    run(working, gemini, 1_000)
    assert (judge.pairs, used()) == ([20], 20)
    doubts: dict[bool, list[float]] = {True: [], False: []}
    for item in items:
        why = working.item(item["id"])["why"]
        asked = f"<one>{item['title']}</one>" in judge.prompts[0]
        doubts[asked].append(abs(why["score"] - why["bar"]))
    assert (len(doubts[True]), len(doubts[False])) == (20, 5)
    assert max(doubts[True]) <= min(doubts[False])


class Killed(BaseException):
    """The process ended."""


def test_the_cap_holds_when_a_batch_is_killed_and_run_again(
    working: Working,
    judge: Judge,
    gemini: Judging,
    used: Used,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was asked before counts; when all is used, the rule decides alone."""
    known(working)
    items = working.store(0, 0)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(working.vectors, "put", killed)
        for _ in range(3):
            with pytest.raises(Killed):
                run(working, gemini, 5)
    # A killed batch keeps all that it was granted.
    assert (judge.pairs, used()) == ([2], 5)
    run(working, gemini, 5)
    assert (judge.pairs, used()) == ([2], 5)
    assert working.where(*items) == [A, A]


def test_a_batch_that_fails_gives_back_what_it_did_not_ask(
    working: Working,
    judge: Judge,
    gemini: Judging,
    used: Used,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the index down, a day's pairs are not used up by attempts."""
    known(working)
    working.store(0)
    with monkeypatch.context() as patch:
        patch.setattr(working.vectors, "_index", None)  # a fault of the client is one of the index
        with pytest.raises(Unclustered):
            run(working, gemini, 5)
    assert used() == 0
    assert judge.prompts == []


@pytest.mark.parametrize(
    "answer", [400, 503, "", "no", "[[]]", '[{"n": 9, "same": true}]', '{"n": 1, "same": false}']
)
def test_nonsense_and_refusals_decide_nothing(
    working: Working,
    judge: Judge,
    gemini: Judging,
    used: Used,
    answer: str | int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The rule's own decision stands, and it is logged; the pair counts as asked."""
    known(working)
    (item,) = working.store(0)
    judge.answer = answer
    run(working, gemini, 5)
    assert (working.where(item), used()) == ([A], 1)
    assert working.item(item)["why"]["because"] == "similar"
    assert "not judged" in caplog.text


def test_it_takes_no_further_request_to_the_stores(
    working: Working, gemini: Judging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three to Redis, whoever decides."""
    known(working)
    working.store(0, 3)
    scripts: list[str] = []
    whole = Redis.run

    def counted(self: Redis, script: str, *args: str | float) -> Any:
        scripts.append(script)
        return whole(self, script, *args)

    monkeypatch.setattr(Redis, "run", counted)
    run(working, gemini, 5)
    assert scripts == ["cluster_claim", "cluster_context", "cluster_commit"]
