"""The processes of the tasks that run below this process, as the system knows them (Linux only)."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

CONTAINER = "container.py"
TICKET = b"SOULCASTER_TICKET="


@dataclass(frozen=True)
class Process:
    """A process as it was once; pid and start together name one, for pids are used again."""

    pid: int
    parent: int = field(compare=False)
    name: str  # of the program, so it may change
    started: str
    is_dead: bool = field(compare=False)


def processes() -> dict[int, Process]:
    """All that there are, by pid."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, tail = stat.read_text(errors="replace").rpartition(")")
            fields, pid = tail.split(), int(stat.parent.name)
            name = head.partition("(")[2]
            found[pid] = Process(pid, int(fields[1]), name, fields[19], fields[0] in "ZX")
    return found


class Watch:
    """Notes which processes each attempt of a job had."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], set[Process]] = {}

    def look(self) -> None:
        """Note what runs now."""
        now = processes()
        for container in below(os.getpid(), now):
            if attempt := _attempt(container):
                seen = self._seen.setdefault(attempt, set())
                seen |= {container, *below(container.pid, now)}

    def runs(self, job: str, attempt: int, name: str) -> bool:
        """Whether a program called ``name`` was seen to run in the attempt."""
        return any(process.name == name for process in self._seen.get((job, attempt), ()))

    def seen(self, job: str) -> int:
        """How many processes the job's attempts had, as far as they were seen."""
        mine = [seen for (whose, _), seen in self._seen.items() if whose == job]
        return len({(process.pid, process.started) for seen in mine for process in seen})

    def left(self) -> list[Process]:
        """Those that have not ended, wherever they are by now."""
        now = processes()
        return [
            process
            for seen in self._seen.values()
            for process in seen
            if (is_now := now.get(process.pid))
            and is_now.started == process.started
            and not is_now.is_dead
        ]


def below(pid: int, now: dict[int, Process]) -> list[Process]:
    """The descendants of a process."""
    children: dict[int, list[Process]] = {}
    for process in now.values():
        children.setdefault(process.parent, []).append(process)
    found, parents = [], [pid]
    while parents:
        fresh = children.get(parents.pop(), [])
        found += fresh
        parents += [process.pid for process in fresh]
    return found


def _attempt(process: Process) -> tuple[str, int] | None:
    """Job and attempt of the task whose first process this is; None for any other process."""
    place = Path(f"/proc/{process.pid}")
    with suppress(OSError):
        if any(Path(os.fsdecode(word)).name == CONTAINER for word in _words(place / "cmdline")):
            for variable in _words(place / "environ"):
                if variable.startswith(TICKET):
                    job, attempt, _ = variable.removeprefix(TICKET).decode().split(".")
                    return job, int(attempt)
    return None


def _words(file: Path) -> list[bytes]:
    return file.read_bytes().split(b"\0")
