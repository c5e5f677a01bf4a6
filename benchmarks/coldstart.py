"""Cold and warm invocations of every function, as a ratio to a function that does nothing.

Each instance is a process of its own behind the vendor's runtime client, with compiled
bytecode. The empty function is measured beside each of the others, so that a busy machine
slows both; of several rounds the best counts.
"""

import argparse
import compileall
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import events, surroundings
from benchmarks.surroundings import Surroundings
from local.lambdas.workers import Instance, Invocation, log_of
from local.parts import ROOT

if TYPE_CHECKING:
    from local.lambdas.stack import Function

EMPTY = "Empty"
TRACE = "Root=1-00000000-000000000000000000000000"


class Failed(RuntimeError):  # noqa: N818 - names what happened
    """A function did not answer as it should."""


@dataclass(frozen=True)
class Sample:
    """One cold instance and its life: milliseconds, ``warm`` a list of them in order of size.

    ``init`` ends when the runtime asks for its first event, ``cold`` when that is answered;
    both begin before the process does.
    """

    init: float
    first: float
    cold: float
    warm: list[float]


def main() -> None:
    """Print a JSON line for each function."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coldstart", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=100, help="warm calls in each round")
    parser.add_argument("--function", action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    compile_everything()
    with (
        tempfile.TemporaryDirectory() as folder,
        surroundings.started(Path(folder)) as around,
    ):
        bench = Bench(around, Path(folder))
        known = events.of_every_function(around, bench.answer)
        for name in options.function or known:
            print(json.dumps(bench.line(name, known[name], options.rounds, options.calls)))
            sys.stdout.flush()


def compile_everything() -> None:
    """Bytecode for all that a function may import, as in a deployed layer."""
    for folder in (ROOT / "layers/common", ROOT / "functions", Path(sys.prefix) / "lib"):
        compileall.compile_dir(folder, quiet=2, workers=0)


class Bench:
    """Runs instances of a stack's functions, and of one that does nothing."""

    def __init__(self, around: Surroundings, folder: Path) -> None:
        code = folder / "empty"
        code.mkdir()
        (code / "empty.py").write_text("def handler(event, context):\n    return {}\n")
        compileall.compile_dir(code, quiet=2)
        some = next(iter(around.stack.functions.values()))
        empty = replace(some, id=EMPTY, name=EMPTY, handler="empty.handler", code=code, layers=())
        self._functions: Mapping[str, Function] = {**around.stack.functions, EMPTY: empty}
        self._platform = around.platform
        self._logs = folder / "functions"

    def answer(self, function: str, event: Any) -> Any:
        """What a new instance answers to one event."""
        return self._live(function, lambda call: call(event))

    def line(self, function: str, event: Any, rounds: int, calls: int) -> dict[str, Any]:
        """What is printed of a function."""
        pairs = [
            (self._sample(function, event, calls), self._sample(EMPTY, {}, calls))
            for _ in range(rounds)
        ]
        own, empty = (best([pair[side] for pair in pairs]) for side in (0, 1))
        return {
            "function": function,
            **{name: round(value, 2) for name, value in own.items()},
            "cold_ratio": round(own["cold_ms"] / empty["cold_ms"], 2),
            "warm_ratio": round(own["warm_p50_ms"] / empty["warm_p50_ms"], 2),
        }

    def _sample(self, function: str, event: Any, calls: int) -> Sample:
        start = time.perf_counter()

        def live(call: Callable[[Any], Any]) -> Sample:
            ready = time.perf_counter()
            call(event)
            answered = time.perf_counter()
            warm = []
            for _ in range(calls):
                before = time.perf_counter()
                call(event)
                warm.append((time.perf_counter() - before) * 1000)
            return Sample(
                init=(ready - start) * 1000,
                first=(answered - ready) * 1000,
                cold=(answered - start) * 1000,
                warm=sorted(warm),
            )

        return self._live(function, live)

    def _live[T](self, function: str, use: Callable[[Callable[[Any], Any]], T]) -> T:
        """Start an instance, let ``use`` call it, and end it."""
        found = self._functions[function]
        with log_of(self._logs, found) as log:
            instance = Instance(found, self._platform, log, 0)
            try:
                self._check(function, instance.wait_until_ready())
                return use(lambda event: self._invoke(instance, event))
            finally:
                instance.end()

    def _invoke(self, instance: Instance, event: Any) -> Any:
        self._check(instance.function.id, instance.wait_until_ready())
        outcome = instance.invoke(Invocation("bench", json.dumps(event).encode(), TRACE))
        self._check(instance.function.id, outcome)
        return outcome.payload

    def _check(self, function: str, outcome: Any) -> None:
        if outcome is not None and outcome.failed:
            log = (self._logs / f"{function}.log").read_text()[-2_000:]
            raise Failed(f"{function}: {outcome.payload}\n{log}")


def best(samples: list[Sample]) -> dict[str, float]:
    """The least of each number; of the warm calls' quantiles, that of the best round."""
    return {
        "import_ms": min(sample.init for sample in samples),
        "first_call_ms": min(sample.first for sample in samples),
        "cold_ms": min(sample.cold for sample in samples),
        "warm_p50_ms": min(statistics.median(sample.warm) for sample in samples),
        "warm_p99_ms": min(sample.warm[int(0.99 * len(sample.warm))] for sample in samples),
    }


if __name__ == "__main__":
    main()
