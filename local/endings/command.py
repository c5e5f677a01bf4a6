"""Has one job come to each end that is not a pull request, and shows what is said of it."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from local.cloud import Cloud, Running
from local.demo.control import Api, Unfinished
from local.demo.screen import Screen
from local.endings.jobs import Ended, Endings
from local.endings.scenarios import ENDINGS
from local.parts import ROOT, PartFailed

RECORDINGS = ROOT / "sample/recordings/endings"
# The recordings are of its shell tool; it starts in a fraction of Kilo's time.
ENGINE = "mini-swe-agent"


def command() -> int:
    """Run what the command line asks for; the exit status is 0 if all is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m local.endings", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".soulcaster/endings"))
    options = parser.parse_args()
    try:
        return run(options.state)
    except (Running, PartFailed, Unfinished, OSError, httpx.HTTPError) as error:
        print(f"endings: {error}", file=sys.stderr)
        return 1


def run(state: Path) -> int:
    """All endings in a cloud in folder ``state``, which ends with them; the exit status."""
    began, screen = time.monotonic(), Screen()
    screen.progress("starting the local cloud …")
    with Cloud(state, {}, recordings=RECORDINGS, parameters={"AgentEngine": ENGINE}) as cloud:
        screen.say(f"The local cloud is up; {len(ENDINGS)} reports, each in a project of its own.")
        api = Api(cloud)
        endings = Endings(cloud, api, screen)
        try:
            api.enter()
            endings.report()
            screen.say("A fix of each was asked for:")
            ended = endings.follow()
            left = endings.left()
        except (Unfinished, httpx.HTTPError):
            cloud.check(2)
            raise
    _show(ended, screen)
    faults = [f"{one.ending.name}: {fault}" for one in ended for fault in one.faults()]
    faults += [f"left over: {what}" for what in left]
    seen = sum(one.processes for one in ended)
    if not left:
        screen.say(f"\nNothing is left: none of {seen} processes, no task, no slot, no live job.")
    for fault in faults:
        screen.say(f"  NOT as it should be: {fault}")
    took = f"in {time.monotonic() - began:.0f} s"
    where = f"see above, and the logs in {cloud.logs}"
    screen.say(f"NOT all as it should be; {where}" if faults else f"All as it should be, {took}.")
    return 1 if faults else 0


def _show(ended: Sequence[Ended], screen: Screen) -> None:
    screen.say()
    screen.say(
        f"  {'ending':<13} {'state':<11} {'cause':<10} {'attempts':>8} {'seconds':>8}"
        f"  {'dollars':>7}  reason"
    )
    for one in ended:
        job = one.job
        dollars = f"{'' if job['cost']['exact'] else '≤'}{job['cost']['dollars']:.4f}"
        screen.say(
            f"  {one.ending.name:<13} {job['state']:<11} {job['cause']:<10} {job['attempt']:>8}"
            f" {one.seconds:>8.1f}  {dollars:>7}  {job['reason']}"
        )
