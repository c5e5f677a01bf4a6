"""The life of each task: its process, its changes, and the events about them."""

import asyncio
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.ecs import processes
from local.ecs import task as tasks
from local.ecs.definitions import Definition
from local.ecs.events import Courier
from local.ecs.store import Store
from local.ecs.task import Task

_CONTAINER = Path(__file__).with_name("container.py")


@dataclass
class Container:
    """A running container. It lives while ``lifeline``, a pipe's writing end, is open."""

    process: Process
    lifeline: int | None

    def terminate(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None


class Runner:
    """Runs tasks below folder ``state``; ``grace`` is the seconds from SIGTERM to SIGKILL."""

    def __init__(self, store: Store, courier: Courier | None, state: Path, grace: float) -> None:
        self._store = store
        self._courier = courier
        self._homes = state.absolute() / "homes"
        self._logs = state.absolute() / "logs"
        self._grace = grace
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._containers: dict[str, Container] = {}

    async def start(self) -> None:
        """Report the tasks of an earlier life as stopped, once their processes have ended."""
        for task, pid, since in self._store.unfinished():
            if pid is not None and since is not None:
                await processes.end(pid, since)
            self._report(tasks.lost(task, time.time()))
        shutil.rmtree(self._homes, ignore_errors=True)

    async def stop(self) -> None:
        """Kill all tasks; the next life reports them."""
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)

    def begin(self, task: Task, definition: Definition, refusal: str | None) -> None:
        """Run a stored task, or report that it could not start because of ``refusal``."""
        arn = task["taskArn"]
        self._report(task)
        self._lives[arn] = asyncio.create_task(self._live(arn, definition, refusal))
        self._lives[arn].add_done_callback(lambda _: self._lives.pop(arn))

    def end(self, task: Task, reason: str) -> Task:
        """Ask a task to stop, and kill it when it takes longer than the grace."""
        if task["desiredStatus"] == "STOPPED":
            return task
        task = tasks.stopping(task, reason, time.time())
        self._store.save(task)
        if container := self._containers.get(task["taskArn"]):
            self._end(container)
        return task

    def _end(self, container: Container) -> None:
        container.terminate()
        asyncio.get_running_loop().call_later(self._grace, container.kill)

    def _report(self, task: Task) -> None:
        """Store what a task has become, with the event about it."""
        self._store.save(task, tasks.event(task, time.time()) if self._courier else None)
        if self._courier:
            self._courier.call(task["taskArn"])

    def _task(self, arn: str) -> Task:
        task = self._store.find(arn)
        assert task is not None
        return task

    async def _live(self, arn: str, definition: Definition, refusal: str | None) -> None:
        home = self._homes / arn.rpartition("/")[2]
        try:
            container = None if refusal else await self._run(arn, definition, home)
        except OSError as error:
            container, refusal = None, f"CannotStartContainerError: {error}"
        if container is None:
            task = self._task(arn)
            self._report(tasks.not_started(task, refusal or "Task stopped", time.time()))
            return
        try:
            code = await self._watch(arn, container)
        finally:
            container.kill()
            await container.process.wait()
            # What a killed container could not end itself.
            with suppress(ProcessLookupError):
                os.killpg(container.process.pid, signal.SIGKILL)
            self._containers.pop(arn, None)
            shutil.rmtree(home, ignore_errors=True)
        self._report(tasks.exited(self._task(arn), code, time.time()))

    async def _run(self, arn: str, definition: Definition, home: Path) -> Container | None:
        """Start a task's container, unless it was stopped before; OSError when that fails."""
        task = self._task(arn)
        if task["desiredStatus"] == "STOPPED":
            return None
        environment = _environment(definition, task, home)
        program = shutil.which(definition.command[0], path=environment["PATH"])
        if program is None:
            raise FileNotFoundError(f"no executable {definition.command[0]}")
        logs = definition.log_folder or self._logs
        for folder in (home, logs):
            folder.mkdir(parents=True, exist_ok=True)
        command = [program, *definition.command[1:]]
        log_file = logs / f"{home.name}.log"
        return await _start(command, environment, definition.folder or home, log_file)

    async def _watch(self, arn: str, container: Container) -> int:
        """Report the task as running; returns its exit code when it has ended."""
        pid = container.process.pid
        self._containers[arn] = container
        self._store.set_process(arn, pid, processes.started(pid))
        task = self._task(arn)
        self._report(tasks.running(task, time.time()))
        if task["desiredStatus"] == "STOPPED":
            self._end(container)
        code = await container.process.wait()
        return code if code >= 0 else 128 - code


async def _start(
    command: list[str], environment: dict[str, str], folder: Path, log_file: Path
) -> Container:
    """Start a container's first process in a session of its own."""
    reading, writing = os.pipe()
    with log_file.open("ab") as log:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_CONTAINER), str(reading), *command),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                env=environment,
                cwd=folder,
                pass_fds=(reading,),
                start_new_session=True,
            )
        except BaseException:
            os.close(writing)
            raise
        finally:
            os.close(reading)
    return Container(process, writing)


def _environment(definition: Definition, task: Task, home: Path) -> dict[str, str]:
    """All a task's process knows: nothing of the emulator's own environment but the PATH."""
    overrides = {
        pair["name"]: pair["value"]
        for each in task["overrides"].get("containerOverrides", [])
        for pair in each.get("environment", [])
    }
    base = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8"}
    return base | definition.environment | overrides
