"""The Kilo Code command line as an engine."""

import json
import os
import shutil
from pathlib import Path

from soulcaster_agent.command_line import CannotStartError, CommandLine
from soulcaster_agent.confinement import Confinement
from soulcaster_agent.engine import EngineResult
from soulcaster_agent.job import Model
from soulcaster_agent.kilo_events import Events
from soulcaster_agent.log import Log

PROVIDER = "local"
# Kilo repeats a failing model call for ever unless it is told when to give up.
RETRIES = "5"


class Kilo:
    """Runs ``kilo run`` in the clone; its home folder lasts as long as the run."""

    def __init__(self, binary: str, path: str) -> None:
        self._binary = binary
        self._program = CommandLine(binary, path)

    @property
    def programs(self) -> tuple[Path, ...]:
        """See Engine.programs."""
        return (Path(self._binary),)

    def run(
        self,
        workdir: Path,
        prompt: str,
        model: Model,
        deadline: float,
        log: Log,
        confinement: Confinement,
    ) -> EngineResult:
        """See Engine.run."""
        events = Events(log)
        try:
            with self._program.home(workdir) as home:
                status = self._program.run(
                    arguments(model),
                    workdir=workdir,
                    home=home,
                    env=environment(model),
                    # Not an argument: feedback has no fixed size, and Kilo puts
                    # quotes around what it is given there.
                    stdin=prompt,
                    deadline=deadline,
                    confinement=confinement,
                    on_line=events.read,
                )
        except CannotStartError as error:
            return EngineResult(False, "", str(error))
        return events.result(status)

    def stop(self) -> None:
        """See Engine.stop."""
        self._program.stop()


def arguments(model: Model) -> list[str]:
    """Kilo's arguments; the title spares the model call that would invent one."""
    fixed = ["run", "--auto", "--format", "json", "--title", "soulcaster"]
    return [*fixed, "--model", f"{PROVIDER}/{model.name}"]


def environment(model: Model) -> dict[str, str]:
    """Kilo's own variables."""
    return {
        "KILO_CONFIG_CONTENT": json.dumps(configuration(model)),
        "KILO_SESSION_RETRY_LIMIT": RETRIES,
        "KILO_DISABLE_MODELS_FETCH": "1",
    }


def configuration(model: Model) -> dict[str, object]:
    """Kilo's settings: one provider, and nothing sent anywhere else."""
    name = f"{PROVIDER}/{model.name}"
    return {
        "autoupdate": False,
        "share": "disabled",
        "experimental": {"openTelemetry": False},
        "model": name,
        "small_model": name,
        "enabled_providers": [PROVIDER],
        "provider": {
            PROVIDER: {
                # Part of Kilo's binary: nothing is downloaded for it.
                "npm": "@ai-sdk/openai-compatible",
                "name": "Model",
                "options": {"baseURL": model.base_url, "apiKey": model.api_key},
                "models": {model.name: {"name": model.name}},
            }
        },
    }


def find_kilo() -> Kilo:
    """Take the binary that KILO_BIN names, else ``kilo`` on the PATH."""
    path = os.environ.get("PATH", os.defpath)
    binary = os.environ.get("KILO_BIN") or shutil.which("kilo", path=path) or "kilo"
    return Kilo(binary, path)
