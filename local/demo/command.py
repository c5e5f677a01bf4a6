"""The demo's command: loads feedback, clusters it, has one fix made, says what happened."""

import argparse
import os
import sys
import time
from pathlib import Path

import httpx

from local.__main__ import hold, welcome
from local.cloud import Cloud, Running
from local.demo.control import Api, Unfinished
from local.demo.feedback_file import read
from local.demo.load import PROJECT, check_sample, load_file, load_sample, project_of
from local.demo.screen import Screen
from local.parts import ROOT, PartFailed

SAMPLE = ROOT / "sample/feedback.jsonl"


def command() -> int:
    """Run what the command line asks for; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end when done")
    parser.add_argument("--feedback", type=Path, help="a .jsonl or .jsonl.gz file to load instead")
    parser.add_argument("--state", type=Path, default=Path(".soulcaster"))
    options = parser.parse_args()
    try:
        return run(options.feedback, options.state, end=options.exit)
    except (Running, PartFailed, Unfinished, ValueError, OSError, httpx.HTTPError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def run(feedback: Path | None, state: Path, *, end: bool) -> int:
    """The demo in folder ``state``; holds the cloud up afterwards, unless told to ``end``."""
    began = time.monotonic()
    screen = Screen()
    rows = read(feedback or SAMPLE)
    cloud = Cloud(state, os.environ)
    if not feedback:
        check_sample(cloud.services)
    screen.progress("starting the local cloud …")
    with cloud:
        screen.say(f"The local cloud is up after {time.monotonic() - began:.1f} s.")
        api = Api(cloud)
        try:
            api.enter()
            if feedback:
                worked = load_file(cloud, api, screen, rows, feedback)
            else:
                worked = load_sample(cloud, api, screen, rows)
        except (Unfinished, httpx.HTTPError):
            # A part that has ended explains more, and its connections break before it is gone.
            cloud.check(2)
            raise
        took = f"{time.monotonic() - began:.0f} s"
        screen.say(
            f"\nAll of it worked, in {took}."
            if worked
            else f"\nNOT all of it worked; see above, and the logs in {cloud.logs}"
        )
        if not end:
            project = project_of(feedback) if feedback else PROJECT
            api.key(project)
            screen.say(f"\n{welcome(cloud, f'/clusters?project={project}')}")
            return hold(cloud)
    screen.say(f"The cloud has ended. To look around in it: {again(state)}")
    return 0 if worked else 1


def again(state: Path) -> str:
    """The command that brings the same cloud up, with all that is in it."""
    return (
        "make up" if state == Path(".soulcaster") else f".venv/bin/python -m local --state {state}"
    )
