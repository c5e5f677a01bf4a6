"""What the task expects of whatever changes the code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from soulcaster_agent.confinement import Confinement
from soulcaster_agent.job import Model
from soulcaster_agent.log import Log


@dataclass(frozen=True)
class EngineResult:
    """How the engine ended; ``reason`` says why it is not ``ok``, in words for people."""

    ok: bool
    summary: str
    reason: str


class Engine(Protocol):
    """Changes the files of a work tree as a prompt asks."""

    @property
    def programs(self) -> tuple[Path, ...]:
        """What must be there to start it."""
        ...

    def run(
        self,
        workdir: Path,
        prompt: str,
        model: Model,
        deadline: float,
        log: Log,
        confinement: Confinement,
    ) -> EngineResult:
        """Work until done, confined; leaves no process behind, however it ends.

        Raises DeadlinePassedError at ``deadline`` (Unix seconds) and StoppedError
        after ``stop``.
        """
        ...

    def stop(self) -> None:
        """End a run that is under way, or the next one at once; callable from any thread."""
        ...
