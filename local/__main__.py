"""python -m local: the local cloud, empty, until Ctrl-C."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from local.cloud import Cloud, Running
from local.parts import PartFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".soulcaster"))
    options = parser.parse_args()
    stopped = stop_on_signals()
    try:
        with Cloud(options.state, os.environ) as cloud:
            print(welcome(cloud))
            return hold(cloud, stopped)
    except (Running, PartFailed) as error:
        print(error, file=sys.stderr)
        return 1


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def hold(cloud: Cloud, stopped: threading.Event) -> int:
    """Keep the cloud up until ``stopped``, or until a part of it ends."""
    while not stopped.wait(0.5):
        if part := cloud.ended():
            print(f"{part} ended; see {cloud.folder}/logs/{part}.log", file=sys.stderr)
            return 1
    print("stopping …")
    return 0


def welcome(cloud: Cloud) -> str:
    """Where to look."""
    return "\n".join(
        [
            f"API      {cloud.addresses.api}",
            f"key      {cloud.api_key}",
            f"GitHub   {cloud.addresses.github}",
            f"logs     {cloud.folder}/logs",
            "Ctrl-C ends it; what is stored stays.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
