"""Write openapi.json from the API; ``--check`` fails when the committed one differs."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "functions/api"), str(ROOT / "layers/common")]

from app import app  # noqa: E402 - the path above is what makes it importable


def main() -> int:
    """Write, or check; returns the exit status."""
    text = json.dumps(app.openapi(), indent=2, sort_keys=True) + "\n"
    page = ROOT / "openapi.json"
    if "--check" not in sys.argv:
        page.write_text(text)
        return 0
    if page.read_text() != text:
        print("openapi.json differs from the API: run make openapi", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
