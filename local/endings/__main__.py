"""python -m local.endings: see local/endings/command.py."""

import sys

from local.signals import Stopped, raise_stopped


def main() -> int:
    raise_stopped()
    try:
        # After the signals: what it imports takes a second, in which Ctrl-C may come.
        from local.endings.command import command  # noqa: PLC0415

        return command()
    except Stopped as stopped:
        print("\nstopped before it was done")
        return stopped.exit_status


if __name__ == "__main__":
    sys.exit(main())
