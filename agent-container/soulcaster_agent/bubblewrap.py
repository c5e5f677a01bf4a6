"""The arguments with which bubblewrap shows a program its own folders and little else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
# By name: what else lies in /etc may be readable for the user who runs this.
SETTINGS = (
    *("alternatives", "ca-certificates", "group", "hosts", "ld.so.cache", "localtime"),
    *("nsswitch.conf", "passwd", "pki", "protocols", "resolv.conf", "services", "ssl"),
)
PROBE_SECONDS = 10


def find(programs: tuple[Path, ...], folder: Path) -> str:
    """Return the path of a bubblewrap that works here, or an empty text."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return ""
    try:
        done = subprocess.run(
            [bwrap, *arguments(programs, folder, [folder]), "--", "true"],
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return bwrap if done.returncode == 0 else ""


def arguments(programs: tuple[Path, ...], workdir: Path, writable: list[Path]) -> list[str]:
    """Return the options: the network is that of whoever starts it, for there the proxy is."""
    options = ["--unshare-all", "--share-net", "--die-with-parent", "--cap-drop", "ALL"]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    shown = [*SYSTEM, *(f"/etc/{name}" for name in SETTINGS), *places(programs)]
    for path in shown:
        options += ["--ro-bind-try", str(path), str(path)]
    for path in writable:
        options += ["--bind", str(path), str(path)]
    return [*options, "--chdir", str(workdir)]


def places(programs: tuple[Path, ...]) -> list[Path]:
    """Return the folders that the programs, node and this Python need to run."""
    found = [Path(sys.prefix), Path(sys.base_prefix)]
    node = shutil.which("node")
    for program in (*programs, *([Path(node)] if node else [])):
        found += [home_of(program), home_of(program.resolve())]
    return list(dict.fromkeys(found))


def home_of(program: Path) -> Path:
    """Return the folder that a program is installed in, as narrow as can be."""
    for parent in reversed(program.parents):
        if parent.name == "node_modules":
            return parent
    prefix = program.parent.parent
    everything = {Path("/"), Path(os.environ.get("HOME", "/"))}
    narrow = program.parent.name == "bin" and prefix not in everything
    return prefix if narrow else program.parent
