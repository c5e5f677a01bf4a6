"""python -m local.person: a token to call the local cloud's API with, good for five minutes.

It is made as the dashboard makes it for somebody who is signed in there.
"""

import argparse
import json
import sys
from pathlib import Path

from local import credentials
from local.dashboard import MAINTAINER, Dashboard, Person, SignedIn
from local.parameters import dashboard


def signed_in(state: Path, person: Person = MAINTAINER) -> SignedIn:
    """What has a client speak for a person to the local cloud that was started in ``state``."""
    made, audience = _known(state)
    return SignedIn(made, audience, person)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.person", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".soulcaster"))
    parser.add_argument("--login", default=MAINTAINER.login)
    parser.add_argument("--number", type=int, default=MAINTAINER.number)
    options = parser.parse_args()
    try:
        made, audience = _known(options.state)
    except FileNotFoundError:
        print(f"local.person: no local cloud was started in {options.state}", file=sys.stderr)
        return 1
    print(made.token(Person(options.number, options.login), audience))
    return 0


def _known(state: Path) -> tuple[Dashboard, str]:
    told = json.loads((state / "dashboard.json").read_text())
    return dashboard(credentials.load(state)), told["API_AUDIENCE"]


if __name__ == "__main__":
    sys.exit(main())
