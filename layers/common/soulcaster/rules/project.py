"""A project: a tenant, the repository its fixes go to, and what a fix may cost."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal

# The name has something besides dots: "." and ".." lead elsewhere in an address.
REPOSITORY = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{0,50}[A-Za-z0-9_-][A-Za-z0-9._-]{0,50}"
)

# What running the tests showed of a patch; see docs/proof.md.
Verdict = Literal["proven", "tests_pass", "no_tests", "tests_fail"]
PUBLISHES: Final[tuple[Verdict, ...]] = ("proven", "tests_pass", "no_tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """``repository`` is "owner/name", or '' while none is set: then nothing can be fixed.

    ``base`` is the branch that fixes start from and go to. ``test_setup`` and ``test_command``
    are for a shell in the repository's root; '' leaves it to conventions. ``publishes`` are the
    verdicts that may become a pull request. With ``plan_required`` nothing is fixed without an
    approved plan. Limits: jobs that run at once, jobs and dollars of a UTC day, dollars and
    minutes of a job, changed files and bytes of a patch; new items of feedback of a UTC day, and
    items that wait to be clustered.
    """

    id: str
    name: str
    repository: str = ""
    base: str = "main"
    test_setup: str = ""
    test_command: str = ""
    publishes: Sequence[Verdict] = PUBLISHES
    plan_required: bool = False
    jobs_at_once: int = 2
    jobs_per_day: int = 20
    dollars_per_day: float = 50.0
    dollars_per_job: float = 5.0
    minutes_per_job: int = 30
    patch_files: int = 40
    patch_bytes: int = 400_000
    items_per_day: int = 50_000
    pending_items: int = 20_000

    def to_json(self) -> str:
        """The project as it is stored."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Project":
        """What ``to_json`` wrote, now or before there were all of these settings."""
        return cls(**json.loads(text))


# What holds where a stored project, of before there was a setting, says nothing of it.
DEFAULTS: Final = Project(id="", name="")
