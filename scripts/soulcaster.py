"""The command for those who run an installation: ``./soulcaster --help``."""

import argparse
import sys
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parent.parent
# In the place of this folder, in which the name of the product's package is this file's.
sys.path[:1] = [str(ROOT), str(ROOT / "layers/common")]

from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402 - the path comes first

from scripts import calibrate, owner_link, redrive, reindex, surroundings  # noqa: E402 - as above
from soulcaster.edges.gemini import GeminiError  # noqa: E402 - as above
from soulcaster.edges.redis import RedisError  # noqa: E402 - as above
from soulcaster.edges.vector import VectorError  # noqa: E402 - as above
from soulcaster.settings import SettingMissing  # noqa: E402 - as above


class Command(Protocol):
    """A subcommand; ``run`` returns the exit status."""

    @property
    def ABOUT(self) -> str: ...  # noqa: N802, D102 - a module's constant

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...  # noqa: D102

    def run(self, options: argparse.Namespace) -> int: ...  # noqa: D102


COMMANDS: dict[str, Command] = {
    "calibrate": calibrate,
    "owner-link": owner_link,
    "reindex": reindex,
    "redrive": redrive,
}
# All that a person can mend; whatever else is raised is a fault of ours.
EXPECTED = (
    *(SettingMissing, RedisError, GeminiError, VectorError, BotoCoreError, ClientError),
    *(redrive.NotOne, surroundings.NotRunning, ValueError, OSError),
)


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; the exit status is 0, 1 for a failure, 2 for arguments nobody knows."""
    options = parser().parse_args(arguments)
    try:
        if options.local:
            surroundings.enter(options.state, options.function)
        return COMMANDS[options.command].run(options)
    except EXPECTED as error:
        line = " ".join(str(error).split())
        print(f"soulcaster {options.command}: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """What can be asked for, and how."""
    whole = argparse.ArgumentParser(
        prog="soulcaster",
        description="What those who run an installation need now and then. Settings are read from"
        " the environment variables that template.yaml names, credentials of AWS as usual.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.ABOUT, description=command.ABOUT)
        one.set_defaults(function=surroundings.FUNCTION)
        command.arguments(one)
        one.add_argument(
            "--local", action="store_true", help="in the local cloud that is running (make up)"
        )
        one.add_argument(
            "--state",
            type=Path,
            default=ROOT / ".soulcaster",
            help="the local cloud's folder (default: .soulcaster)",
        )
    return whole


if __name__ == "__main__":
    sys.exit(main())
