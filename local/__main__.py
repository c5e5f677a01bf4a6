"""python -m local: the local cloud, empty at first, until Ctrl-C."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.keys import Keys
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
    import httpx  # noqa: PLC0415

    from local.cloud import Cloud, Running  # noqa: PLC0415
    from local.owner import NotOffered  # noqa: PLC0415
    from local.parts import PartFailed  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".soulcaster"))
    options = parser.parse_args()
    try:
        with Cloud(options.state, os.environ) as cloud:
            print(welcome(cloud), flush=True)
            return hold(cloud)
    except (Running, PartFailed, NotOffered, httpx.HTTPError, ValueError, OSError) as error:
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


def welcome(cloud: "Cloud", path: str = "/me") -> str:
    """Where to look, with a command that reads ``path`` of the API."""
    kept = list(Keys(cloud.folder).kept.values())
    state = "" if cloud.folder == Path(".soulcaster").resolve() else f" --state {cloud.folder}"
    credential = kept[-1] if kept else f"$(.venv/bin/python -m local.person{state})"
    lines = [
        ("API", cloud.addresses.api),
        ("try", f'curl -H "Authorization: Bearer {credential}" "{cloud.addresses.api}{path}"'),
        ("GitHub", cloud.addresses.github if cloud.services.emulated("github") else ""),
        ("Reddit", cloud.addresses.reddit if cloud.services.emulated("reddit") else ""),
        ("state", str(cloud.folder)),
        ("logs", str(cloud.logs)),
    ]
    if not kept and not _claimed(cloud):
        lines.append(("owner", f"nobody yet: POST /installation/owner {_offer(cloud)}"))
    shown = [f"  {name:<8}{text}" for name, text in lines if text]
    return "\n".join(
        ["The local cloud is up:", *shown, "Ctrl-C ends it; what is stored stays for the next run."]
    )


def _claimed(cloud: "Cloud") -> bool:
    """Whether somebody owns the installation."""
    import httpx  # noqa: PLC0415 - as above

    with httpx.Client(auth=cloud.maintainer, timeout=60, trust_env=False) as client:
        answer = client.get(f"{cloud.addresses.api}/me")
    return bool(answer.raise_for_status().json()["claimed"])


def _offer(cloud: "Cloud") -> str:
    """What to post to become the first owner."""
    from local import owner  # noqa: PLC0415 - as above

    return json.dumps({"token": owner.offer(cloud.folder)})


if __name__ == "__main__":
    sys.exit(main())
