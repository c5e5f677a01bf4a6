"""The mini-swe-agent command line as an engine.

It lives in an environment of its own (in the image /opt/mini-swe-agent) and is given one settings
file, in the run's home folder, by its absolute path: a name alone it would look for in the clone.
"""

import os
import shutil
from pathlib import Path

from soulcaster_agent.command_line import CannotStartError, CommandLine
from soulcaster_agent.confinement import Confinement
from soulcaster_agent.engine import EngineResult
from soulcaster_agent.job import Model
from soulcaster_agent.log import Log
from soulcaster_agent.mini_record import read_record, result
from soulcaster_agent.mini_settings import settings
from soulcaster_agent.mini_transcript import Transcript

PROGRAM = "mini-swe-agent"
# How often a failing model call is made, after 4 seconds or more each time.
ATTEMPTS = "5"

ENVIRONMENT = {
    # It breaks lines at the terminal's width, and nobody has one here.
    "COLUMNS": "8000",
    "MSWEA_CONFIGURED": "true",
    "MSWEA_SILENT_STARTUP": "1",
    "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT": ATTEMPTS,
    # Otherwise its library for models fetches a list of prices when it starts,
    # and reads variables from any .env file above the place it is installed in.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "TYPER_STANDARD_TRACEBACK": "1",
}


class MiniSweAgent:
    """Runs ``mini-swe-agent`` on the clone; its home folder lasts as long as the run."""

    def __init__(self, binary: str, path: str) -> None:
        self._binary = binary
        self._program = CommandLine(binary, path)

    @property
    def programs(self) -> tuple[Path, ...]:
        """See Engine.programs: the script, and the Python beside it that runs it."""
        script = Path(self._binary)
        return (script, script.resolve().with_name("python"))

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
        transcript = Transcript(log)
        try:
            with self._program.home(workdir) as home:
                given, record = home / "settings.yaml", home / "record.json"
                given.write_text(settings(workdir, prompt, model), encoding="ascii")
                status = self._program.run(
                    ["--config", str(given), "--output", str(record)],
                    workdir=workdir,
                    home=home,
                    env=ENVIRONMENT,
                    stdin="",
                    deadline=deadline,
                    confinement=confinement,
                    on_line=transcript.read,
                )
                return result(status, read_record(record, confinement.uid))
        except CannotStartError as error:
            return EngineResult(False, "", str(error))
        finally:
            transcript.end()

    def stop(self) -> None:
        """See Engine.stop."""
        self._program.stop()


def find_mini() -> MiniSweAgent:
    """Take the script that MINI_SWE_AGENT_BIN names, else ``mini-swe-agent`` on the PATH."""
    path = os.environ.get("PATH", os.defpath)
    binary = os.environ.get("MINI_SWE_AGENT_BIN") or shutil.which(PROGRAM, path=path) or PROGRAM
    return MiniSweAgent(binary, path)
