"""Local clouds as a person starts them: processes, and what is left of them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.parts import ROOT
from local.person import signed_in
from tests.local.emulated import until

needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are told by /proc, which only Linux has"
)
START_SECONDS = 60.0


class Command:
    """``python -m <module>`` on the state folder ``folder``, with nothing of our environment."""

    def __init__(
        self, module: str, folder: Path, *arguments: str | Path, **environment: str
    ) -> None:
        self.folder = folder
        self._printed = folder.parent / f"{folder.name}.out"
        with self._printed.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "--state", str(folder), *map(str, arguments)],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        """What it has printed so far, errors too."""
        return self._printed.read_text()

    def until(self, ready: Callable[[], Any]) -> None:
        """Wait until ``ready`` answers; fails when the command ends before."""

        def look() -> bool:
            answer = bool(ready())
            assert answer or self.process.poll() is None, self.printed
            return answer

        until(look, START_SECONDS)

    def until_up(self) -> None:
        """Wait until it has nothing more to do than to be there."""
        self.until(lambda: "Ctrl-C ends it" in self.printed)

    def ended(self, seconds: float = START_SECONDS) -> int:
        """Its exit status."""
        return self.process.wait(seconds)


@contextmanager
def started(
    module: str, folder: Path, *arguments: str | Path, **environment: str
) -> Iterator[Command]:
    """A command that is killed at the end, if it still runs."""
    command = Command(module, folder, *arguments, **environment)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.wait()


def traces(folder: Path) -> list[bytes]:
    """What the environment, the command line or the place of the cloud's processes holds, but no
    other's: its folder, or the port of its moto, which every function knows.
    """
    ports = folder / "ports.json"
    found = [os.fsencode(folder)]
    if ports.exists():
        moto = json.loads(ports.read_text())["moto"]
        found += [f"127.0.0.1:{moto}".encode(), f"--port\0{moto}\0".encode()]
    return found


def cwd(process: Path) -> str:
    """The folder that a process is in, from its folder in /proc."""
    return f"\0{(process / 'cwd').readlink()}"


def living(folder: Path) -> dict[int, str]:
    """The command lines of the cloud's processes, by their ids."""
    marks = traces(folder)
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            # Valkey writes its title over both, but lives in its folder.
            everything = command + (process / "environ").read_bytes() + os.fsencode(cwd(process))
        except OSError:
            continue  # it has ended
        if any(mark in everything for mark in marks):
            found[int(process.name)] = command.replace(b"\0", b" ").decode()
    return found


def none_left(folder: Path, seconds: float = 15) -> bool:
    """Whether every process of the cloud ends within some seconds."""
    return until(lambda: not living(folder), seconds)


def kill_all(folder: Path) -> None:
    """SIGKILL to every process of the cloud, as when the machine runs out of memory."""
    for pid in living(folder):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it ended with another one


def client(folder: Path) -> httpx.Client:
    """A client of the API of the cloud that is up in ``folder``."""
    ports = json.loads((folder / "ports.json").read_text())
    url = f"http://127.0.0.1:{ports['api']}"
    return httpx.Client(base_url=url, auth=signed_in(folder), timeout=30)


def feedback(api: httpx.Client, project: str) -> dict[str, str]:
    """The external id of every item of a project, by id; page by page."""
    found: dict[str, str] = {}
    query = {"project": project, "limit": "200"}
    while True:
        page = api.get("/feedback", params=query).raise_for_status().json()
        for item in page["items"]:
            assert item["id"] not in found
            found[item["id"]] = item["external_id"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def write_rows(file: Path, count: int) -> list[str]:
    """A file of feedback; the ids in it."""
    rows = [
        {"id": f"row-{n}", "title": f"Report {n}", "text": f"The export of list {n} fails."}
        for n in range(count)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [row["id"] for row in rows]
