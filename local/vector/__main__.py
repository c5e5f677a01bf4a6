"""python -m local.vector --port N --state DIR --token TOKEN --dimension 384 [--lag SECONDS]"""

import argparse
from pathlib import Path

from local import serve
from local.vector import app


def main() -> None:
    parser = argparse.ArgumentParser(description="Upstash Vector: one dense cosine index.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="the data is in DIR/vector")
    parser.add_argument("--token", required=True, help="the one bearer token that is let in")
    parser.add_argument("--dimension", type=int, required=True)
    parser.add_argument("--lag", type=float, default=0.0, help="seconds until a query sees it")
    options = parser.parse_args()
    serve.serve(app(options.state, options.token, options.dimension, options.lag), options.port)


if __name__ == "__main__":
    main()
