"""python -m local.demo: see local/demo/command.py."""

import sys

from local.signals import Stopped, raise_stopped


def main() -> int:
    raise_stopped()
    try:
        # After the signals: what it imports takes a second, in which Ctrl-C may come.
        from local.demo.command import command  # noqa: PLC0415

        return command()
    except Stopped as stopped:
        print(
            "\nstopped before it was done; what is stored stays, and the next run goes on from it"
        )
        return stopped.exit_status


if __name__ == "__main__":
    sys.exit(main())
