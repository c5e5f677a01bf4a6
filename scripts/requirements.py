"""Write the hashed requirements of every deployed part from the groups in pyproject.toml.

``--check`` writes nothing and fails when a file differs from what would be written.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = "requirements-dev.txt"
LAYER = "layers/common/requirements.txt"
AGENT = "agent-container/requirements.txt"
MINI = "agent-container/requirements-mini-swe-agent.txt"
FUNCTIONS = {
    name: f"functions/{name}/requirements.txt"
    for name in ("ingest", "cluster", "api", "agent_dispatch")
}


def compile_group(group: str, target: Path, *extra: str) -> None:
    """Pin ``group`` into ``target``; what is pinned there already stays."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--group", group]
    subprocess.run([*command, *extra, "-o", str(target)], check=True, cwd=ROOT)


def write_all(root: Path) -> None:
    """All requirements below ``root``; one version of a package in all our own parts."""
    constraint = ("-c", str(root / DEV))
    compile_group("dev", root / DEV)
    compile_group("layer", root / LAYER, *constraint)
    for group, path in FUNCTIONS.items():
        compile_group(group, root / path, *constraint)
    compile_group("agent", root / AGENT, *constraint)
    # It shares an environment with nothing, and may have another Python: see the Makefile.
    compile_group("mini_swe_agent", root / MINI, "--python-version", "3.11")


def main() -> int:
    """Write, or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        write_all(ROOT)
        return 0
    paths = [DEV, LAYER, *FUNCTIONS.values(), AGENT, MINI]
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            copy = Path(folder, path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, copy)
        write_all(Path(folder))
        changed = [p for p in paths if Path(folder, p).read_text() != (ROOT / p).read_text()]
    for path in changed:
        print(f"{path} does not fit pyproject.toml: run make requirements", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
