"""Make a link by which whoever opens it first becomes an owner of the installation."""

import argparse
import os

from soulcaster import wiring
from soulcaster.edges.clock import now_ms
from soulcaster.rules import api_key
from soulcaster.rules.membership import OWNER_LINK_MS

ABOUT = "make a one-time link to become an owner of the installation, good for a day"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What ``run`` is told."""
    parser.set_defaults(function="ApiFunction")  # the one that knows the pepper
    parser.add_argument(
        "--dashboard",
        metavar="ADDRESS",
        help="where the dashboard is (default: the variable DASHBOARD_URL)",
    )


def run(options: argparse.Namespace) -> int:
    """Print a new link; the one before it is good no more."""
    text, now = api_key.new_owner_token(), now_ms()
    mac = wiring.mac(text)
    owners = wiring.installation().offer(mac, now + OWNER_LINK_MS, now)
    dashboard = options.dashboard or os.environ.get("DASHBOARD_URL", "")
    if owners:
        print(f"The installation has owners already: {', '.join(owners)}.")
    print("Whoever is signed in and opens this first becomes its owner; it is good for 24 hours:")
    # In the fragment, which browsers don't send: it gets into no server's log.
    print(f"{dashboard.rstrip('/')}/welcome#token={text}" if dashboard else text)
    if not dashboard:
        print("Open the dashboard's page /welcome#token=… with it in the place of the dots.")
    return 0
