"""python -m local.redis_rest --port N --state DIR --token TOKEN"""

import argparse
import os
import sys
import threading
from pathlib import Path

from local import serve
from local.redis_rest import app, valkey

LOOK_SECONDS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Upstash Redis, over a Valkey of its own.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="the data is in DIR/redis")
    parser.add_argument("--token", required=True, help="the one bearer token that is let in")
    options = parser.parse_args()
    with valkey.running(options.state / "redis") as address:
        served = threading.Event()
        threading.Thread(target=end_with_valkey, args=(address, served), daemon=True).start()
        serve.serve(app(address, options.token), options.port)
        served.set()


def end_with_valkey(address: Path, served: threading.Event) -> None:
    """Exit when the server has died: a front without it would only look alive."""
    while not served.wait(LOOK_SECONDS):
        if valkey.ask(address, "PING") is None and not served.is_set():
            print("redis: valkey has ended; see its valkey.log", file=sys.stderr, flush=True)
            os._exit(1)


if __name__ == "__main__":
    main()
