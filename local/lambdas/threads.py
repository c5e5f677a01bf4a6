"""Work handed to other threads, whose failures somebody must see."""

import sys
from concurrent.futures import Future
from typing import Any


def tell(future: Future[Any]) -> None:
    """Say on stderr that a piece of work failed; for ``Future.add_done_callback``."""
    if error := future.exception():
        print(f"lambdas: {type(error).__name__}: {error}", file=sys.stderr)
