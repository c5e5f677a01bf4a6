"""The engines that a job may ask for, by name: a new one is a module and a line here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soulcaster_agent.confinement import Confinement
from soulcaster_agent.engine import Engine, EngineResult
from soulcaster_agent.job import Model
from soulcaster_agent.kilo import find_kilo
from soulcaster_agent.log import Log
from soulcaster_agent.mini import find_mini

FINDERS: dict[str, Callable[[], Engine]] = {
    "kilo": find_kilo,
    "mini-swe-agent": find_mini,
}


@dataclass(frozen=True)
class UnknownEngine:
    """Stands for an engine that this image does not have: its run says so."""

    name: str

    @property
    def programs(self) -> tuple[Path, ...]:
        """See Engine.programs."""
        return ()

    def run(
        self,
        workdir: Path,
        prompt: str,
        model: Model,
        deadline: float,
        log: Log,
        confinement: Confinement,
    ) -> EngineResult:
        """See Engine.run: nothing is started."""
        del workdir, prompt, model, deadline, log, confinement
        known = " and ".join(FINDERS)
        reason = f"There is no engine called {self.name!r} in this task; it has {known}."
        return EngineResult(False, "", reason)

    def stop(self) -> None:
        """See Engine.stop: there is nothing to end."""


def find_engine(name: str) -> Engine:
    """Return the engine of this name; one that is not known fails when it is run."""
    finder = FINDERS.get(name)
    return finder() if finder else UnknownEngine(name)
