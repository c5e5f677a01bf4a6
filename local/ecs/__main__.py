"""Run the ECS emulator: ``python -m local.ecs --port N --state DIR --definitions FILE``."""

import argparse
import json
from pathlib import Path

from local.ecs.server import app
from local.serve import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.ecs", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of the tasks and logs")
    parser.add_argument("--definitions", type=Path, required=True, help="JSON: what tasks run")
    parser.add_argument("--events", help="address that task state changes are posted to")
    parser.add_argument("--grace", type=float, default=10, help="seconds from SIGTERM to SIGKILL")
    parser.add_argument("--region", default="us-east-1", help="the region in ARNs")
    options = parser.parse_args()
    emulator = app(
        options.state,
        json.loads(options.definitions.read_text()),
        events=options.events,
        grace=options.grace,
        region=options.region,
    )
    serve(emulator, options.port)


if __name__ == "__main__":
    main()
