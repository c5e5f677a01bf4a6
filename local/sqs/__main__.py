"""Run the SQS emulator: ``python -m local.sqs --port N --state DIR``."""

import argparse
from pathlib import Path

from local.serve import serve
from local.sqs.server import app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.sqs", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of the database")
    parser.add_argument("--region", default="us-east-1", help="the region in ARNs")
    parser.add_argument(
        "--consumers-ended",
        action="store_true",
        help="show at once what consumers held: they ended with the last run",
    )
    options = parser.parse_args()
    emulator = app(options.state, region=options.region, consumers_ended=options.consumers_ended)
    serve(emulator, options.port)


if __name__ == "__main__":
    main()
