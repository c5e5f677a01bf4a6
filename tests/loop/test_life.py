"""The local cloud's life: Ctrl-C and SIGTERM at any time, a second one, a part that dies."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.local.emulated import process
from tests.loop.clouds import Command, living, needs_proc, none_left, started, write_rows

pytestmark = [needs_proc, pytest.mark.timeout(120)]

QUICKLY = 10.0  # seconds; a person would press Ctrl-C again


def handles_signals(command: Command) -> Callable[[], bool]:
    """Python's own handler of Ctrl-C is set at the very start, so SIGTERM's tells."""

    def look() -> bool:
        status = Path(f"/proc/{command.process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    return look


def starts_parts(command: Command) -> Callable[[], bool]:
    return lambda: len(living(command.folder)) > 3


def starts_functions(command: Command) -> Callable[[], bool]:
    return lambda: any("local.lambdas" in name for name in living(command.folder).values())


def to_group(command: Command, number: int) -> None:
    """As a terminal does."""
    os.killpg(command.process.pid, number)


def to_process(command: Command, number: int) -> None:
    os.kill(command.process.pid, number)


@pytest.mark.parametrize(
    ("module", "moment", "send", "number"),
    [
        ("local.demo", handles_signals, to_group, signal.SIGINT),
        ("local.demo", starts_parts, to_process, signal.SIGINT),
        ("local.demo", starts_functions, to_group, signal.SIGINT),
        ("local", starts_parts, to_group, signal.SIGTERM),
    ],
)
def test_a_start_can_be_stopped(
    tmp_path: Path,
    module: str,
    moment: Callable[[Command], Callable[[], bool]],
    send: Callable[[Command, int], None],
    number: int,
) -> None:
    """It ends soon with the signal's status, without a traceback and without leaving a process."""
    with started(module, tmp_path / "state") as command:
        command.until(moment(command))
        send(command, number)
        assert command.ended(QUICKLY) == 128 + number
        assert "stopped before" in command.printed
        assert "Traceback" not in command.printed
    assert none_left(command.folder)


@pytest.mark.parametrize(
    ("send", "number"),
    [(to_group, signal.SIGINT), (to_process, signal.SIGINT), (to_process, signal.SIGTERM)],
)
def test_a_cloud_that_is_up_ends_well(
    tmp_path: Path, send: Callable[[Command, int], None], number: int
) -> None:
    """Exit status 0: this is how it is ended; a second signal does no harm."""
    with started("local", tmp_path / "state") as command:
        command.until_up()
        send(command, number)
        send(command, number)
        assert command.ended(QUICKLY) == 0, command.printed
        assert command.printed.endswith("stopping …\n")
        assert "Traceback" not in command.printed
    assert none_left(command.folder)


def test_a_second_cloud_is_refused_and_a_dead_part_is_named(tmp_path: Path) -> None:
    """One folder, one cloud, which the refusal names by its process; and when a part dies the
    cloud ends with status 1, the part's name and its log.
    """
    folder = tmp_path / "state"
    with started("local", folder) as command:
        command.until_up()
        [vector] = [pid for pid, name in living(folder).items() if "local.vector" in name]
        (tmp_path / "two").mkdir()
        link = tmp_path / "two/state"
        link.symlink_to(folder)
        with started("local.demo", link, "--exit") as second:
            assert second.ended() == 1
        assert f"a local cloud is running in {folder}" in second.printed
        assert f"process {command.process.pid}" in second.printed
        assert second.printed.count("\n") == 1

        os.kill(vector, signal.SIGKILL)
        assert command.ended(QUICKLY) == 1
    said = f"local: vector has ended (SIGKILL); its log is {folder}/logs/vector.log"
    assert said in command.printed
    assert none_left(folder)


def test_a_part_that_dies_under_the_demo_is_named(tmp_path: Path) -> None:
    """Not the error that it causes elsewhere."""
    folder, file = tmp_path / "state", tmp_path / "reports.jsonl"
    write_rows(file, 2_000)
    with started("local.demo", folder, "--exit", "--feedback", file) as demo:
        demo.until(lambda: "Sending" in demo.printed)
        [runner] = [pid for pid, name in living(folder).items() if "local.lambdas" in name]
        os.kill(runner, signal.SIGKILL)
        assert demo.ended(QUICKLY) == 1
    assert "demo: lambdas has ended (SIGKILL); its log is" in demo.printed
    assert "Traceback" not in demo.printed
    assert none_left(folder)


def test_the_front_of_redis_ends_with_valkey(tmp_path: Path) -> None:
    """Else the cloud would stay up without its store."""
    with process("local.redis_rest", "--state", str(tmp_path), "--token", "t") as (_, front):
        [valkey] = [pid for pid, name in living(tmp_path).items() if "valkey-server unix" in name]
        os.kill(valkey, signal.SIGKILL)
        assert front.wait(QUICKLY) == 1
