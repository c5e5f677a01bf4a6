"""The running local cloud as a function in it sees it."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from local.cloud import TEMPLATE
from local.lambdas.stack import Places
from local.lambdas.template import load
from local.parts import environment

FUNCTION = "ClusterFunction"  # the one that knows both stores and Gemini


class NotRunning(Exception):  # noqa: N818 - names what is
    """No local cloud is up in that folder."""


def enter(state: Path, name: str = FUNCTION) -> None:
    """Make this process's environment that of a function of the local cloud in ``state``.

    Nothing of what was there stays: somebody's keys, AWS profile or proxy would lead elsewhere.
    Raises ``NotRunning``.
    """
    if not _running(state):
        raise NotRunning(f"no local cloud is running in {state}; make up starts one")
    ports = _read(state, "ports")
    places = Places(*(f"http://127.0.0.1:{ports[name]}" for name in ("api", "sqs")))
    stack = load(TEMPLATE, _read(state, "parameters"), places)
    function, platform = stack.functions[name].environment, _read(state, "platform")
    whole = {**environment(), **function, **platform}
    os.environ.clear()
    os.environ.update(whole)


def _running(state: Path) -> bool:
    """Whether some process holds the folder's lock."""
    try:
        with (state / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _read(state: Path, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((state / f"{name}.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise NotRunning(f"the local cloud in {state} has not started yet") from error
    return found
