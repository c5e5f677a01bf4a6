"""``python -m soulcaster_agent``: work on the job that SOULCASTER_TICKET stands for.

Exit status: 0 the outcome was reported, whatever it is; 1 the supervisor itself broke;
2 a setting is missing; 3 the ticket or the attempt was refused; 4 the control plane could not
be reached; 143 the task was told to end. On all but 0 the control plane decides what is next.
"""

import ctypes
import os
import signal
import sys
import traceback
from types import FrameType

import httpx

from soulcaster_agent.api import Api, RefusedError, UnreachableError
from soulcaster_agent.engines import find_engine
from soulcaster_agent.job import Job, MalformedJobError
from soulcaster_agent.log import Log, complain
from soulcaster_agent.process import StoppedError
from soulcaster_agent.redact import Redactor
from soulcaster_agent.task import run_task

PR_SET_DUMPABLE = 4
BROKEN, MISSING_SETTING, REFUSED, UNREACHABLE, TERMINATED = 1, 2, 3, 4, 143


def main() -> int:
    """Claim, work, report; return the exit status."""
    signal.signal(signal.SIGTERM, terminate)
    keep_to_ourselves()
    try:
        api_url, ticket = os.environ["SOULCASTER_API_URL"], os.environ["SOULCASTER_TICKET"]
    except KeyError as error:
        complain(f"{error.args[0]} is not set")
        return MISSING_SETTING
    redact = Redactor([ticket])
    with httpx.Client(timeout=35) as http:
        api = Api(api_url, http)
        try:
            job = api.claim(ticket)
        except RefusedError as error:
            complain(redact(f"the ticket was refused, used before or withdrawn: {error}"))
            return REFUSED
        except (UnreachableError, MalformedJobError) as error:
            complain(redact(f"no job could be claimed: {error}"))
            return UNREACHABLE
        redact.add(job.secrets())
        return work_on(job, api, redact)


def work_on(job: Job, api: Api, redact: Redactor) -> int:
    """Work on a claimed job; return the exit status."""
    try:
        run_task(job, api, find_engine(job.engine), Log(redact), redact)
    except (StoppedError, RefusedError) as error:
        complain(redact(f"the attempt was superseded, cancelled or reported before: {error}"))
        return REFUSED
    except UnreachableError as error:
        complain(redact(f"the outcome could not be reported: {error}"))
        return UNREACHABLE
    except Exception:  # noqa: BLE001 - the interpreter would print it with all it holds
        complain(redact(traceback.format_exc()))
        return BROKEN
    return 0


def keep_to_ourselves() -> None:
    """Let nobody but root look into this process, nor anybody else into its files."""
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def terminate(_signal: int, _frame: FrameType | None) -> None:
    """End by unwinding, so that the engine is ended and the folders are removed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
