"""Nothing but the patch decides on its proof, and no test outlives it, leaks or floods."""

import os
import threading
import tracemalloc
import uuid
from pathlib import Path

import pytest

from soulcaster_agent import job
from soulcaster_agent.process import StoppedError
from soulcaster_agent.recorder import MOST_CHARACTERS
from soulcaster_agent.redact import HIDDEN, Redactor
from tests.agent.conftest import PYTHON, running_with, until
from tests.agent.proving import CALC, NEW_TEST, RIGHT, SHELL, Workshop, runs, script, write

SECRET = "opaque-token-1f2e3d"
needs_root = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can run the engine as another user"
)


@pytest.fixture
def workshop(shared: Path) -> Workshop:
    return Workshop(shared, Redactor([SECRET]))


def test_what_the_engine_left_beside_the_patch_does_not_count(workshop: Workshop) -> None:
    """Ignored modules, caches and hooks in its clone change no run."""
    cheat = "def add(a, b):\n    return a + b\n"
    clone = workshop.clone({**CALC, ".gitignore": "unittest/\n*.pth\nsitecustomize.py\n"})
    write(clone, {**NEW_TEST, "sitecustomize.py": cheat, "unittest/__init__.py": cheat})
    write(clone, {"__pycache__/calc.cpython-313.pyc": "x", ".git/hooks/post-checkout": "exit 1"})
    proof = workshop.prove()
    assert proof.verdict == "tests_fail"
    assert "AssertionError: -1 != 5" in runs(proof)["patch"].log
    assert runs(proof)["base"].status == 0
    assert not clone.exists()


@needs_root
def test_what_the_engine_left_for_all_to_find_is_gone(workshop: Workshop) -> None:
    """A runner that looks for settings above the tests finds none of the engine's."""
    left = Path("/tmp", f"left-{uuid.uuid4()}")
    ours = Path("/tmp", f"ours-{uuid.uuid4()}")
    workshop.clone(script(f"! test -e {left} && test -e {ours}"))
    write(workshop.checkout.workdir, {"a": "a"})

    def engine(uid: int) -> None:
        (left / "deep").mkdir(parents=True)
        (left / "deep/link").symlink_to(ours)
        ours.touch()
        os.chown(left, uid, uid)

    try:
        assert workshop.prove(SHELL, engine=engine).verdict == "tests_pass"
        assert ours.exists()
    finally:
        ours.unlink()


@needs_root
def test_no_run_finds_what_another_left(workshop: Workshop) -> None:
    """Neither a temporary file nor a home is the same in two runs."""
    mark = Path("/tmp", f"mark-{uuid.uuid4()}")
    workshop.clone(
        script(f'test ! -e {mark} && test -z "$(ls -A $TMPDIR)" && touch {mark} $HOME/m $TMPDIR/m')
    )
    write(workshop.checkout.workdir, {"a": "a"})
    assert workshop.prove(SHELL).verdict == "tests_pass"
    assert not mark.exists()


def test_tests_get_named_variables_only(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the supervisor was started with is not theirs."""
    monkeypatch.setenv("SOULCASTER_TICKET", SECRET)
    write(workshop.clone(script("env | cut -d= -f1")), {"a": "a"})
    log = runs(workshop.prove(SHELL))["patch"].log
    names = set(log.splitlines()[1:])
    assert names - {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"} == {"PATH", "HOME", "TMPDIR", "LANG"}


@needs_root
def test_tests_can_not_read_what_is_the_supervisors(workshop: Workshop) -> None:
    """The store that the trees are made from, and git's home, are closed to them."""
    workshop.clone(script("cat ../../private/store.git/HEAD; ls ../../private ../../git-home"))
    write(workshop.checkout.workdir, {"a": "a"})
    log = runs(workshop.prove(SHELL))["patch"].log
    assert "refs/heads" not in log
    assert "denied" in log or "No such file" in log


def test_a_test_that_hangs_with_the_patch_fails(workshop: Workshop) -> None:
    """It ends with its share of the time, which leaves enough to hand the proof in."""
    marker = f"marker-{uuid.uuid4()}"
    hang = f"{PYTHON} -c 'import time; time.sleep(1000)' {marker}"
    write(workshop.clone(script("true")), script(hang))
    proof = workshop.prove(SHELL, seconds=8)
    assert proof.verdict == "tests_fail"
    assert runs(proof)["patch"].status is None
    assert "don't end in time" in proof.says
    assert running_with(marker) == []


def test_tests_that_never_end_say_nothing(workshop: Workshop) -> None:
    """Without the patch they hang as well."""
    write(workshop.clone(script("exec sleep 1000")), {"a": "a"})
    proof = workshop.prove(SHELL, seconds=8)
    assert proof.verdict == "no_tests"
    assert [each.status for each in proof.runs] == [None, None]


def test_a_proof_without_time_starts_nothing(workshop: Workshop) -> None:
    """An engine that used all of it leaves no verdict, and not an attempt without an end."""
    write(workshop.clone(CALC), {"calc.py": RIGHT})
    proof = workshop.prove(seconds=0)
    assert (proof.verdict, proof.runs) == ("no_tests", [])
    assert "could not be laid out" in proof.says


def test_a_daemon_ends_with_its_run(workshop: Workshop) -> None:
    """A child in a session of its own, whose parent has ended, is ended too."""
    marker = f"marker-{uuid.uuid4()}"
    child = f"{PYTHON} -c 'import time; time.sleep(1000)' {marker}"
    write(workshop.clone(script(f"(setsid {child} >/dev/null 2>&1 &)")), {"a": "a"})
    assert workshop.prove(SHELL).verdict == "tests_pass"
    assert running_with(marker) == []


def test_a_proof_can_be_stopped(workshop: Workshop) -> None:
    """From another thread, at once, without a process left."""
    marker = f"marker-{uuid.uuid4()}"
    hang = f"{PYTHON} -c 'import time; time.sleep(1000)' {marker}"
    write(workshop.clone(script(hang)), {"a": "a"})
    ended: list[BaseException] = []

    def prove() -> None:
        try:
            workshop.prove(SHELL, seconds=600)
        except StoppedError as error:
            ended.append(error)

    thread = threading.Thread(target=prove)
    thread.start()
    until(lambda: bool(running_with(marker)))
    workshop.process.stop()
    thread.join(60)
    assert len(ended) == 1
    assert running_with(marker) == []


def test_no_secret_is_in_a_proof(workshop: Workshop) -> None:
    """Known values and what looks like a key are hidden wherever a patch can put them."""
    echo = f"echo {SECRET}; echo ghp_0123456789abcdef"
    write(workshop.clone(script(echo)), {f"tests/{SECRET}/test_a.py": "", "a": "a"})
    document = workshop.prove(job.Tests(command=f"{echo}; sh tests/run.sh")).to_json().decode()
    assert SECRET not in document
    assert "ghp_0123456789abcdef" not in document
    assert HIDDEN in document


def test_names_of_a_patch_do_no_harm_in_a_sentence(workshop: Workshop) -> None:
    """A path can hold what pings people or ends a line; the sentence can't."""
    odd = "tests/@someone\n# [x](http://a).sh"
    workshop.clone({odd: "", **script("true")})
    write(workshop.checkout.workdir, {odd: "changed"})
    says = workshop.prove(SHELL).says
    assert not {"@", "\n", "[", ":"} & set(says.partition("there before")[2].partition(":")[2])


@pytest.mark.parametrize("end", ["", "chr(10)"])
def test_a_flood_is_cut_in_the_middle(workshop: Workshop, end: str) -> None:
    """Its beginning and its end are kept, and never the whole, in long lines and in short ones."""
    flood = f"for _ in range(300): print((98 * str(0) {'+ ' + end if end else ''}) * 1_000)"
    command = f"echo first; {PYTHON} -c '{flood}'; echo last; exit 1"
    write(workshop.clone(script(command)), {"a": "a"})
    tracemalloc.start()
    proof = workshop.prove(SHELL)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000
    for run in proof.runs:
        assert len(run.log) <= MOST_CHARACTERS
        assert run.log.splitlines()[1] == "first"
        assert run.log.endswith("last")
