"""The cold-start benchmark runs, and the receiver has loaded nothing that it does not need."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import events, surroundings
from benchmarks.coldstart import EMPTY, Bench, Sample, best
from benchmarks.surroundings import Surroundings
from local.lambdas.workers import environment

# Each of these takes longer to load than all that the receiver does.
TOO_HEAVY = {
    *("google.genai", "fastapi", "boto3", "httpx", "numpy"),
    *("botocore", "upstash_redis", "aws_lambda_powertools", "pydantic", "cryptography", "praw"),
}
# As the runtime does it: the client first, then the handler's module, then an event.
FIRST_CALL = """
import importlib, json, sys
import awslambdaric.bootstrap
module, _, name = sys.argv[1].rpartition(".")
answer = getattr(importlib.import_module(module), name)(json.load(sys.stdin), None)
print(json.dumps({"status": answer["statusCode"], "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    with surroundings.started(tmp_path_factory.mktemp("surroundings")) as around:
        yield around


@pytest.fixture(scope="module")
def bench(around: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(around, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def known(around: Surroundings, bench: Bench) -> dict[str, Any]:
    """An event for each function."""
    return events.of_every_function(around, bench.answer)


def test_s07_the_receiver_stays_lean(around: Surroundings, known: dict[str, Any]) -> None:
    """After a cold first call that was accepted, none of the large libraries is loaded."""
    receiver = around.stack.functions["ReceiveFunction"]
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL, receiver.handler],
        cwd=receiver.code,
        env=environment(receiver, around.platform, "none"),
        input=json.dumps(known[receiver.id]),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["status"] == 202
    assert "soulcaster.edges.lean" in found["modules"]
    assert TOO_HEAVY.isdisjoint(found["modules"])


def test_every_function_answers_its_event(
    around: Surroundings, bench: Bench, known: dict[str, Any]
) -> None:
    """The events are true ones: no function of the template fails on its own."""
    assert known.keys() == around.stack.functions.keys()
    for name, event in known.items():
        answer = bench.answer(name, event)
        if isinstance(answer, dict):
            assert answer.get("batchItemFailures", []) == []
            assert answer.get("statusCode", 200) < 500


def test_a_line_has_every_number(bench: Bench, known: dict[str, Any]) -> None:
    """What is printed names the function and holds times and ratios to the empty one."""
    line = bench.line("ReceiveFunction", known["ReceiveFunction"], 1, 2)
    assert line.pop("function") == "ReceiveFunction"
    assert set(line) == {
        *("import_ms", "first_call_ms", "cold_ms", "warm_p50_ms", "warm_p99_ms"),
        *("cold_ratio", "warm_ratio"),
    }
    assert all(value > 0 for value in line.values())
    assert bench.answer(EMPTY, {}) == {}


def test_the_best_round_counts() -> None:
    """Each number is the least of the rounds, so that one disturbed round spoils nothing."""
    calm = Sample(init=10, first=5, cold=15, warm=[1.0] * 99 + [3.0])
    disturbed = Sample(init=90, first=4, cold=94, warm=[2.0] * 100)
    assert best([calm, disturbed]) == {
        "import_ms": 10,
        "first_call_ms": 4,
        "cold_ms": 15,
        "warm_p50_ms": 1,
        "warm_p99_ms": 2,
    }
