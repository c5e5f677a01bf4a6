"""The mini-swe-agent command line as an engine.

It lives in an environment of its own (in the image /opt/mini-swe-agent) and is given one settings
file, in the run's home folder, by its absolute path: a name alone it would look for in the clone.
"""

import os
import shutil
import tempfile
from pathlib import Path

from soulcaster_agent.confinement import Confinement
from soulcaster_agent.engine import EngineResult
from soulcaster_agent.job import Model
from soulcaster_agent.log import Log
from soulcaster_agent.mini_record import read_record, result
from soulcaster_agent.mini_settings import settings
from soulcaster_agent.mini_transcript import Transcript
from soulcaster_agent.process import Command

PROGRAM = "mini-swe-agent"
# How often a failing model call is made, after 4 seconds or more each time.
ATTEMPTS = "5"


class MiniSweAgent:
    """Runs ``mini-swe-agent`` on the clone; its home folder lasts as long as the run."""

    def __init__(self, binary: str, path: str) -> None:
        self._binary = binary
        self._path = path
        self._command = Command()

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
        if shutil.which(self._binary) is None:
            return EngineResult(False, "", f"The engine could not be started: {self._binary}.")
        transcript = Transcript(log)
        with tempfile.TemporaryDirectory(
            prefix="home-", dir=workdir.parent, ignore_cleanup_errors=True
        ) as folder:
            home = Path(folder)
            given, record = home / "settings.yaml", home / "record.json"
            given.write_text(settings(workdir, prompt, model), encoding="ascii")
            confinement.hand_over(home)
            command = [self._binary, "--config", str(given), "--output", str(record)]
            try:
                status = self._command.run(
                    confinement.command(command, workdir, home),
                    cwd=workdir,
                    env=self._environment(home),
                    stdin="",
                    deadline=deadline,
                    on_line=transcript.read,
                )
            except OSError as error:
                return EngineResult(False, "", f"The engine could not be started: {error.strerror}")
            finally:
                transcript.end()
            return result(status, read_record(record, confinement.uid))

    def stop(self) -> None:
        """See Engine.stop."""
        self._command.stop()

    def _environment(self, home: Path) -> dict[str, str]:
        return {
            "PATH": self._path,
            "HOME": str(home),
            "TMPDIR": str(home),
            "LANG": "C.UTF-8",
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


def find_mini() -> MiniSweAgent:
    """Take the script that MINI_SWE_AGENT_BIN names, else ``mini-swe-agent`` on the PATH."""
    path = os.environ.get("PATH", os.defpath)
    binary = os.environ.get("MINI_SWE_AGENT_BIN") or shutil.which(PROGRAM, path=path) or PROGRAM
    return MiniSweAgent(binary, path)
