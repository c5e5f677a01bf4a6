"""What keeps the engine from the supervisor: another user, namespaces, or nothing."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from soulcaster_agent import bubblewrap
from soulcaster_agent.egress import EgressProxy
from soulcaster_agent.log import Log
from soulcaster_agent.netns import MACHINE, Network, own_network
from soulcaster_agent.users import NoUserError, end_all_of, engine_user

LAUNCH = Path(__file__).with_name("launch.py")
NONE = "-"
PROBE_SECONDS = 10
LIMITED = "The engine's network holds nothing but loopback."
UNLIMITED = (
    "The engine's network is not limited by the task; what it may reach is limited by what is "
    "around the task, or not at all."
)


class Confinement(Protocol):
    """How an engine is run."""

    @property
    def says(self) -> str:
        """What the log says about it."""
        ...

    @property
    def uid(self) -> int:
        """Who the engine is to others on this machine."""
        ...

    @property
    def holds(self) -> bool:
        """Whether the engine is kept from what the supervisor knows."""
        ...

    @property
    def network(self) -> Network:
        """The network that what it runs is in."""
        ...

    def hand_over(self, folder: Path) -> None:
        """Give the engine a folder, with all that is in it, to read and write."""
        ...

    def command(self, argv: list[str], workdir: Path, home: Path) -> list[str]:
        """Return what to start so that ``argv`` runs confined, in ``workdir``.

        It runs in the same network as all that is started so, and finds in its
        environment the way out of it, if there is one.
        """
        ...

    def end(self) -> None:
        """See that nothing which the engine started is running any more."""
        ...

    def foreign(self, folder: Path) -> Path | None:
        """Return a file in the engine's folder that is not the engine's, if there is one."""
        ...


@dataclass(frozen=True)
class OtherUser:
    """The engine is a user of its own: the kernel keeps it from files and processes."""

    uid: int
    network: Network = MACHINE
    proxy: str = NONE

    @property
    def holds(self) -> bool:
        """See Confinement."""
        return True

    @property
    def says(self) -> str:
        """See Confinement."""
        return f"The engine runs as user {self.uid}, which can read nothing of the supervisor."

    def hand_over(self, folder: Path) -> None:
        """See Confinement."""
        # By descriptors and from below, so that no path leads elsewhere half-way.
        for _, folders, files, parent in os.fwalk(folder, topdown=False, follow_symlinks=False):
            for name in (*folders, *files):
                os.chown(name, self.uid, self.uid, dir_fd=parent, follow_symlinks=False)
        os.chown(folder, self.uid, self.uid, follow_symlinks=False)

    def command(self, argv: list[str], workdir: Path, home: Path) -> list[str]:
        """See Confinement."""
        del workdir, home
        return [*launcher(str(self.uid), self.network, self.proxy), *argv]

    def end(self) -> None:
        """See Confinement."""
        end_all_of(self.uid)

    def foreign(self, folder: Path) -> Path | None:
        """See Confinement: a hard link would have us read what the engine may not."""
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                path = Path(parent, name)
                if path.lstat().st_uid != self.uid:
                    return path.relative_to(folder)
        return None


@dataclass(frozen=True)
class SameUser:
    """The engine is the supervisor's own user; with ``bwrap``, it sees its own folders only."""

    bwrap: str
    programs: tuple[Path, ...]
    network: Network = MACHINE
    proxy: str = NONE

    @property
    def holds(self) -> bool:
        """See Confinement."""
        return bool(self.bwrap)

    @property
    def uid(self) -> int:
        """See Confinement."""
        return os.getuid()

    @property
    def says(self) -> str:
        """See Confinement."""
        if self.bwrap:
            return "The engine runs in namespaces of its own (bubblewrap)."
        return (
            "THE ENGINE IS NOT CONFINED: the supervisor can't run it as another user, "
            "and bubblewrap is missing or does not work here."
        )

    def hand_over(self, folder: Path) -> None:
        """See Confinement."""

    def command(self, argv: list[str], workdir: Path, home: Path) -> list[str]:
        """See Confinement."""
        launch = launcher(NONE, self.network, self.proxy)
        if not self.bwrap:
            return [*launch, *argv]
        inside = bubblewrap.arguments(self.programs, workdir, [workdir, home])
        return [*launch, self.bwrap, *inside, "--", *argv]

    def end(self) -> None:
        """See Confinement: whoever ran the command has ended all that descends from it."""

    def foreign(self, folder: Path) -> Path | None:
        """See Confinement: the kernel allows no hard link from one mount to another."""
        del folder
        return None


@contextlib.contextmanager
def confine(
    folder: Path, programs: tuple[Path, ...], egress: tuple[str, ...], log: Log
) -> Iterator[Confinement]:
    """Find the best that this machine allows for work in ``folder`` with these programs.

    ``egress`` names the hosts that may be reached; see EgressProxy. The log says what it is.
    """
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(engine_network())
        confinement = stack.enter_context(engine_place(folder, programs, own))
        network = confinement.network
        log.note(confinement.says)
        log.note(LIMITED if network.is_limited else UNLIMITED)
        if egress:
            proxy = EgressProxy(egress, confinement.uid, network, log)
            stack.enter_context(proxy)
            log.note(f"Egress: a proxy leads to {', '.join(egress)}.")
            confinement = replace(confinement, proxy=proxy.address)
        yield confinement


@contextlib.contextmanager
def engine_place(
    folder: Path, programs: tuple[Path, ...], network: Network
) -> Iterator[OtherUser | SameUser]:
    """Hold another user for the engine, or else find bubblewrap, or else nothing."""
    with contextlib.ExitStack() as stack:
        if os.getuid() == 0:
            with contextlib.suppress(NoUserError):
                uid = stack.enter_context(engine_user())
                # To pass through, not to look into: what is secret there lies deeper.
                folder.chmod(0o711)
                if can_use(uid, (folder, *programs)):
                    yield OtherUser(uid, network)
                    return
                folder.chmod(0o700)
        bwrap = bubblewrap.find(programs, folder)
        # Root without bubblewrap would find its way back.
        yield SameUser(bwrap, programs, network if bwrap else MACHINE)


@contextlib.contextmanager
def engine_network() -> Iterator[Network]:
    """Hold a network that leads nowhere; where that can't be had, yield the machine's."""
    with contextlib.ExitStack() as stack:
        try:
            network = stack.enter_context(own_network())
        except OSError:
            yield MACHINE
            return
        yield network if can_enter(network) else MACHINE


def can_enter(network: Network) -> bool:
    """Whether what is launched gets there: it looks at /proc as another process."""
    command = [*launcher(NONE, network), sys.executable, "-I", "-S", "-c", ""]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, timeout=PROBE_SECONDS, check=False)
        return done.returncode == 0
    return False


def can_use(uid: int, paths: tuple[Path, ...]) -> bool:
    """Whether a user can enter these folders and start these programs."""
    test = shutil.which("test") or "test"
    try:
        for path in filter(Path.exists, paths):
            command = [test, "-x", str(path)]
            subprocess.run(command, user=uid, group=uid, extra_groups=[], env={}, check=True)
    # The latter: a root that may not become anybody else.
    except (subprocess.CalledProcessError, PermissionError):
        return False
    return True


def launcher(uid: str, network: Network, proxy: str = NONE) -> list[str]:
    """Return the command that gives up rights and becomes what follows it."""
    python = [sys.executable, "-I", "-S", str(LAUNCH)]
    return [*python, str(os.getpid()), uid, network.entry, proxy]
