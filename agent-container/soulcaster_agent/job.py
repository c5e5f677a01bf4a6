"""What the control plane hands over for a claimed ticket."""

import ipaddress
import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from soulcaster_agent.budget import Budget, Price


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
    conversation_url: str = field(repr=False)
    price: Price
    budget: Budget

    @property
    def is_local(self) -> bool:
        """Whether its model and its repository are on this machine, with all their keys."""
        return is_loopback(self.model.base_url) and is_loopback(self.repository.clone_url)

    def secrets(self) -> list[str]:
        """Every value of this job that no log may show."""
        urls = [self.patch_url, self.log_url, self.conversation_url]
        known = [self.callback_token, self.model.api_key, *urls, self.repository.token or ""]
        return [each for each in known if each]


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
            conversation_url=str(answer["uploads"].get("conversation") or ""),
            price=parse_price(model.get("price") or {}),
            budget=parse_budget(answer.get("budget") or {}),
        )
    except KeyError as error:
        raise MalformedJobError(f"the job has no {error.args[0]!r}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise MalformedJobError(f"the job can't be read: {error}") from None


def parse_price(given: dict[str, Any]) -> Price:
    """Read dollars per million tokens ``read`` and ``written``; raises ValueError."""
    read, written = given.get("read"), given.get("written")
    price = Price(
        Price.read if read is None else float(read),
        Price.written if written is None else float(written),
    )
    if not (0 <= price.read < math.inf and 0 <= price.written < math.inf):
        raise ValueError("the model's price is not one")
    return price


def parse_budget(given: dict[str, Any]) -> Budget:
    """Read ``dollars`` and ``tokens``; raises ValueError."""
    dollars, tokens = given.get("dollars"), given.get("tokens")
    budget = Budget(
        Budget.dollars if dollars is None else float(dollars),
        Budget.tokens if tokens is None else int(tokens),
    )
    if not (0 <= budget.dollars < math.inf and budget.tokens >= 0):
        raise ValueError("the budget is not one")
    return budget


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine and nowhere else."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
