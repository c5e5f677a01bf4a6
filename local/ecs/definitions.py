"""Task definitions: which command a task runs, from the file the emulator is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws import ACCOUNT, AwsError


@dataclass(frozen=True)
class Definition:
    """One container's command, its environment and folder, and where its log goes."""

    arn: str
    family: str
    container: str
    command: list[str]
    environment: dict[str, str]
    folder: Path | None
    log_folder: Path | None


class Definitions:
    """The definitions of the emulator by family, family:revision or ARN.

    ``{"<name>": {"containers": {"<container>": {"command": […], "environment": {…},
    "cwd": "…"}}, "log_dir": "…"}}``, with exactly one container each; ``environment``,
    ``cwd`` (default: the task's home) and ``log_dir`` are optional.
    """

    def __init__(self, given: Mapping[str, Any], region: str) -> None:
        self._region = region
        self._known = [self._parsed(name, each) for name, each in given.items()]

    def _parsed(self, name: str, given: Mapping[str, Any]) -> tuple[str | None, Definition]:
        family, revision = _split(name)
        if set(given) - {"containers", "log_dir"} or len(given["containers"]) != 1:
            raise ValueError(f"{name}: one container and log_dir are understood")
        ((container, settings),) = given["containers"].items()
        if set(settings) - {"command", "environment", "cwd"}:
            raise ValueError(f"{name}: a container has command, environment and cwd")
        arn = f"arn:aws:ecs:{self._region}:{ACCOUNT}:task-definition/{family}:{revision or 1}"
        return revision, Definition(
            arn=name if name.startswith("arn:") else arn,
            family=family,
            container=container,
            command=settings["command"],
            environment=settings.get("environment", {}),
            folder=Path(settings["cwd"]) if "cwd" in settings else None,
            log_folder=Path(given["log_dir"]) if "log_dir" in given else None,
        )

    def find(self, name: str) -> Definition:
        """The definition that a call's ``taskDefinition`` means."""
        family, revision = _split(name)
        for known, definition in self._known:
            if definition.family == family and (known == revision or None in (known, revision)):
                return definition
        raise AwsError("ClientException", "TaskDefinition not found.")


def _split(name: str) -> tuple[str, str | None]:
    """The family and revision in a family, family:revision or ARN."""
    family, _, revision = name.rpartition("/")[2].partition(":")
    return family, revision or None
