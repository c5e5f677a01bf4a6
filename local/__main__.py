"""python -m local: the local cloud, empty at first, until Ctrl-C."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.signals import Stopped, raise_stopped

if TYPE_CHECKING:
    from local.cloud import Cloud


def main() -> int:
    raise_stopped()
    try:
        return up()
    except Stopped as stopped:
        print("\nstopped before it was up")
        return stopped.exit_status


def up() -> int:
    """Bring the cloud up and hold it; the exit status."""
    # After the signals: they take a second, in which Ctrl-C may come.
    from local.cloud import Cloud, Running  # noqa: PLC0415
    from local.parts import PartFailed  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".soulcaster"))
    options = parser.parse_args()
    try:
        with Cloud(options.state, os.environ) as cloud:
            print(welcome(cloud), flush=True)
            return hold(cloud)
    except (Running, PartFailed, ValueError, OSError) as error:
        print(f"local: {error}", file=sys.stderr)
        return 1


def hold(cloud: "Cloud") -> int:
    """Keep the cloud up until Ctrl-C or SIGTERM; raises ``PartFailed`` when a part ends."""
    try:
        while True:
            cloud.check()
            time.sleep(0.5)
    except Stopped:
        print("\nstopping …", flush=True)
        return 0


def welcome(cloud: "Cloud", path: str = "/projects") -> str:
    """Where to look, with a command that reads ``path`` of the API."""
    key = f"Authorization: Bearer {cloud.api_key}"
    lines = [
        ("API", cloud.addresses.api),
        ("try", f"curl -H '{key}' '{cloud.addresses.api}{path}'"),
        ("GitHub", cloud.addresses.github if cloud.services.emulated("github") else ""),
        ("Reddit", cloud.addresses.reddit if cloud.services.emulated("reddit") else ""),
        ("state", str(cloud.folder)),
        ("logs", str(cloud.logs)),
    ]
    shown = [f"  {name:<8}{text}" for name, text in lines if text]
    return "\n".join(
        ["The local cloud is up:", *shown, "Ctrl-C ends it; what is stored stays for the next run."]
    )


if __name__ == "__main__":
    sys.exit(main())
