"""What a task of the template runs here: the image's entry point, with no image."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from local.lambdas.stack import TaskDefinition
from local.parts import ROOT

AGENT = ROOT / "agent-container"


def definitions(task: TaskDefinition) -> dict[str, Any]:
    """The ECS emulator's definitions for ``task``: all that its process will know."""
    engines = [AGENT / "node_modules/.bin", AGENT / ".engines/bin"]
    tools = [Path(sys.executable).parent, *engines]
    environment = {
        "PYTHONPATH": str(AGENT),
        "PATH": os.pathsep.join([*map(str, tools), os.environ.get("PATH", os.defpath)]),
    }
    command = [sys.executable, *entry_point(AGENT / "Dockerfile")[1:]]
    container = {"command": command, "environment": environment}
    return {task.family: {"containers": {task.container: container}}}


def entry_point(dockerfile: Path) -> list[str]:
    """The ENTRYPOINT (JSON form) of a Dockerfile."""
    for line in dockerfile.read_text().splitlines():
        if line.startswith("ENTRYPOINT "):
            command: list[str] = json.loads(line.removeprefix("ENTRYPOINT "))
            return command
    raise ValueError(f"{dockerfile} has no ENTRYPOINT in its JSON form")
