"""Run the S3 emulator: ``python -m local.s3 --port N --state DIR --secret-key KEY``."""

import argparse
from pathlib import Path

from local.s3.server import app
from local.serve import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.s3", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of the objects")
    parser.add_argument("--secret-key", required=True, help="the key all requests are signed with")
    options = parser.parse_args()
    serve(app(options.state, options.secret_key), options.port)


if __name__ == "__main__":
    main()
