"""python -m local.redis_rest --port N --state DIR --token TOKEN"""

import argparse
from pathlib import Path

from local import serve
from local.redis_rest import app, valkey


def main() -> None:
    parser = argparse.ArgumentParser(description="Upstash Redis, over a Valkey of its own.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="the data is in DIR/redis")
    parser.add_argument("--token", required=True, help="the one bearer token that is let in")
    options = parser.parse_args()
    with valkey.running(options.state / "redis") as address:
        serve.serve(app(address, options.token), options.port)


if __name__ == "__main__":
    main()
