"""The first program of the engine's process: gives up what the engine must not have.

    python -I -S launch.py <parent> <uid> <network> <proxy> <command> [argument…]

Each of uid, network and proxy may be -, for none. It enters the network (a file of a namespace),
where the proxy (an address) is the way to HTTPS, and becomes the user, with no group but the user's
own. It ends with its parent, whose process id it is given, can't gain rights by any program it
starts, and leaves no core. Run as a script, with nothing but the standard library: it starts before
anything may be imported from elsewhere.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
# Far above what an engine and a repository's tests need, and far below what hurts the host.
MOST_PROCESSES = 4_096
MOST_FILE_BYTES = 8 * 1024**3
CANNOT_START = 127
NONE = "-"


def enter(network: str) -> None:
    """Move to another network; the way back is closed with the rights of root."""
    if sys.platform == "linux":
        namespace = os.open(network, os.O_RDONLY)
        os.setns(namespace, os.CLONE_NEWNET)
        os.close(namespace)


def use_proxy(address: str) -> None:
    """Tell programs how to reach what they may; the model is on loopback."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        os.environ[name] = address
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = "127.0.0.1,localhost,::1"


def become(uid: int) -> None:
    """Take another user's identity for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    limit(resource.RLIMIT_NPROC, MOST_PROCESSES)
    os.setresuid(uid, uid, uid)


def limit(what: int, most: int) -> None:
    """Lower a limit; one that is lower already stays."""
    _, hard = resource.getrlimit(what)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(what, (most, most))


def main() -> None:
    """Become the engine; returns only by an exit."""
    parent, (uid, network, proxy), command = int(sys.argv[1]), sys.argv[2:5], sys.argv[5:]
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, MOST_FILE_BYTES)
    if network != NONE:
        enter(network)
    if proxy != NONE:
        use_proxy(proxy)
    if uid != NONE:
        become(int(uid))
    os.umask(0o077)
    if sys.platform == "linux":
        # After the change of user, which clears it.
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(PR_SET_PDEATHSIG, signal.SIGKILL):
            sys.exit("the engine could not be confined")
    if os.getppid() != parent:
        sys.exit("the supervisor has ended")
    try:
        os.execvpe(command[0], command, os.environ)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main()
