"""python -m local.github: GitHub on loopback, for one App and one person."""

import argparse
import sys
from pathlib import Path

from local.github.app import app
from local.github.auth import Keys
from local.serve import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.github", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder for all that is kept")
    parser.add_argument("--app-id", required=True)
    parser.add_argument("--app-slug", default="soulcaster")
    parser.add_argument("--public-key", type=Path, required=True, help="the App's, in PEM")
    parser.add_argument("--installation-id", type=int, default=1)
    parser.add_argument("--person-token", required=True, help="may do everything, as a person")
    parser.add_argument("--person-login", default="maintainer")
    given = parser.parse_args()
    keys = Keys(
        app_id=given.app_id,
        app_slug=given.app_slug,
        installation_id=given.installation_id,
        public_key=given.public_key.read_text(),
        person_token=given.person_token,
        person_login=given.person_login,
    )
    print(f"github: http://127.0.0.1:{given.port}", file=sys.stderr)
    serve(app(given.state, keys), given.port)


if __name__ == "__main__":
    main()
