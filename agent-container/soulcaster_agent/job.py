"""What the control plane hands over for a claimed ticket."""

from dataclasses import dataclass, field
from typing import Any


class MalformedJobError(Exception):
    """The control plane's answer lacks something that a job needs."""


@dataclass(frozen=True)
class Repository:
    """Where the code is; ``token`` can read this one repository and nothing else."""

    clone_url: str
    base: str
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class Model:
    """An OpenAI-compatible endpoint and the model to ask there."""

    base_url: str
    name: str
    api_key: str = field(repr=False)

    @property
    def is_configured(self) -> bool:
        """Whether there is an address and a name to ask for."""
        return bool(self.base_url and self.name)


@dataclass(frozen=True)
class Job:
    """One attempt at one fix. ``deadline`` is in Unix seconds."""

    job_id: str
    attempt: int
    deadline: float
    heartbeat_seconds: float
    repository: Repository
    prompt: str
    model: Model
    callback_token: str = field(repr=False)
    patch_url: str = field(repr=False)
    log_url: str = field(repr=False)

    def secrets(self) -> list[str]:
        """Every value of this job that no log may show."""
        known = [self.callback_token, self.model.api_key, self.patch_url, self.log_url]
        return [*known, self.repository.token or ""]


def parse_job(answer: Any) -> Job:
    """Read the answer to a claim; raises MalformedJobError naming what is missing."""
    try:
        repository = answer["repository"]
        model = answer.get("model") or {}
        return Job(
            job_id=str(answer["job_id"]),
            attempt=int(answer["attempt"]),
            deadline=float(answer["deadline"]),
            heartbeat_seconds=float(answer["heartbeat_seconds"]),
            repository=Repository(
                clone_url=str(repository["clone_url"]),
                base=str(repository["base"]),
                token=repository.get("token") or None,
            ),
            prompt=str(answer["prompt"]),
            model=Model(
                base_url=model.get("base_url") or "",
                name=model.get("name") or "",
                api_key=model.get("api_key") or "",
            ),
            callback_token=str(answer["token"]),
            patch_url=str(answer["uploads"]["patch"]),
            log_url=str(answer["uploads"]["log"]),
        )
    except KeyError as error:
        raise MalformedJobError(f"the job has no {error.args[0]!r}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise MalformedJobError(f"the job can't be read: {error}") from None
