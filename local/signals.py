"""Ctrl-C and SIGTERM as an exception, at any moment, so that leaving always tidies up."""

import signal
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """A signal asked this process to end. As KeyboardInterrupt, it is nobody's error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_status = 128 + number


def raise_stopped() -> None:
    """Have the first signal raise ``Stopped`` in the main thread, and later ones do nothing."""

    def stop(number: int, _: FrameType | None) -> None:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for number in ENDING:
        signal.signal(number, stop)
