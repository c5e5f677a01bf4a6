"""Secrets Manager, SSM and whatever else of AWS moto knows; nothing it holds is kept."""

import argparse
import os

from moto.server import main as moto_server

from local.serve import end_with_parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    if os.environ.get("SOULCASTER_PARENT"):
        end_with_parent()
    moto_server(["--host", "127.0.0.1", "--port", str(port)])


if __name__ == "__main__":
    main()
