"""Tiny SAM projects in temporary folders, for the tests of the local Lambda runner."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from local.lambdas import Places, Runner, load

GLOBALS = {"Function": {"Runtime": "python3.13", "Timeout": 20, "Handler": "app.handler"}}


def function(folder: Path, name: str, source: str, **properties: Any) -> dict[str, Any]:
    """A SAM function resource whose ``app.py`` has been written below ``folder``."""
    code = folder / "functions" / name
    code.mkdir(parents=True)
    (code / "app.py").write_text(dedent(source))
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {"CodeUri": f"functions/{name}", **properties},
    }


def project(folder: Path, resources: Mapping[str, Any], **sections: Any) -> Path:
    """A template with those resources; JSON is YAML too."""
    template = folder / "template.yaml"
    whole = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": GLOBALS,
        "Resources": resources,
        **sections,
    }
    template.write_text(json.dumps(whole))
    return template


def http(method: str, path: str) -> dict[str, Any]:
    return {"Type": "HttpApi", "Properties": {"Method": method, "Path": path}}


@contextmanager
def running(
    folder: Path,
    resources: Mapping[str, Any],
    platform: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[Runner]:
    """A runner of a template with those resources, ended when done."""
    stack = load(project(folder, resources), {}, Places())
    with Runner(stack, platform or {}, folder / "logs", **options) as runner:
        yield runner


def ended(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
