"""How an attempt ended: as it is reported, and as it is kept with the job."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from soulcaster_agent.budget import Spent
from soulcaster_agent.job import Job


@dataclass(frozen=True)
class Report:
    """What the control plane is told at the end; the digests pin what was uploaded.

    ``spent`` is ``exact`` unless some of it had to be estimated, and then it is too high.
    """

    outcome: str
    cause: str
    reason: str
    summary: str
    patch_sha256: str = ""
    proof_sha256: str = ""
    verdict: str = ""
    spent: Spent = field(default_factory=Spent)
    exact: bool = True


@dataclass
class Facts:
    """What is learnt on the way: the confinement's own sentence, and the base commit."""

    confinement: str = ""
    base: str = ""


def record(job: Job, report: Report, facts: Facts, started: datetime) -> dict[str, Any]:
    """Return the document ``result`` of an attempt that ends now."""
    return {
        "job_id": job.job_id,
        "attempt": job.attempt,
        **asdict(report),
        "engine": job.engine,
        "model": job.model.name,
        "confinement": facts.confinement,
        "base": facts.base,
        "started_at": started.isoformat(timespec="seconds"),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
