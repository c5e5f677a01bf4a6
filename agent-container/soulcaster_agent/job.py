"""What the control plane hands over for a claimed ticket."""

import ipaddress
import math
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from soulcaster_agent.budget import Budget, Price

DEFAULT_ENGINE = "kilo"
# A name and not an address: its last part is not a number.
# A host's name, or what starts with a dot and stands for all names that end so.
HOST = re.compile(
    r"\.?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
LONGEST_HOST = 253
# The ends of their names, in any of the ways to sign an address.
SECRET_PARAMETERS = ("signature", "token", "credential")


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
class Tests:
    """How the project says that its tests are run; '' for what it leaves to conventions."""

    setup: str = ""
    command: str = ""


@dataclass(frozen=True)
class Job:
    """One attempt at one fix.

    ``deadline`` is the whole attempt's, ``engine_deadline`` the engine's, in Unix seconds.
    ``granted`` is how many dollars of the budget it may spend before it must ask for more;
    ``egress`` names the hosts that the engine and the tests may reach besides the model. An
    address to upload to is '' where the control plane takes no such thing.
    """

    job_id: str
    attempt: int
    engine: str
    deadline: float
    engine_deadline: float
    heartbeat_seconds: float
    repository: Repository
    prompt: str
    model: Model
    callback_token: str = field(repr=False)
    patch_url: str = field(repr=False)
    log_url: str = field(repr=False)
    conversation_url: str = field(repr=False)
    proof_url: str = field(repr=False)
    result_url: str = field(repr=False)
    price: Price
    budget: Budget
    granted: float
    tests: Tests
    egress: tuple[str, ...]

    @property
    def is_local(self) -> bool:
        """Whether its model and its repository are on this machine, with all their keys."""
        return is_loopback(self.model.base_url) and is_loopback(self.repository.clone_url)

    def secrets(self) -> list[str]:
        """Every value of this job that no log may show."""
        urls = [self.patch_url, self.log_url, self.conversation_url]
        urls += [self.proof_url, self.result_url]
        known = [self.callback_token, self.model.api_key, self.repository.token or "", *urls]
        known += [each for url in urls for each in signatures(url)]
        return [each for each in known if each]


def parse_job(answer: Any) -> Job:
    """Read the answer to a claim; raises MalformedJobError naming what is missing."""
    try:
        repository = answer["repository"]
        model = answer.get("model") or {}
        uploads = answer["uploads"]
        deadline = float(answer["deadline"])
        budget = parse_budget(answer.get("budget") or {})
        return Job(
            job_id=str(answer["job_id"]),
            attempt=int(answer["attempt"]),
            engine=str(answer.get("engine") or DEFAULT_ENGINE),
            deadline=deadline,
            engine_deadline=min(deadline, float(answer.get("engine_deadline") or deadline)),
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
            patch_url=str(uploads["patch"]),
            log_url=str(uploads["log"]),
            conversation_url=str(uploads.get("conversation") or ""),
            proof_url=str(uploads.get("proof") or ""),
            result_url=str(uploads.get("result") or ""),
            price=parse_price(model.get("price") or {}),
            budget=budget,
            granted=parse_granted((answer.get("budget") or {}).get("granted"), budget),
            tests=parse_tests(answer.get("tests") or {}),
            egress=parse_egress(answer.get("egress") or []),
        )
    except KeyError as error:
        raise MalformedJobError(f"the job has no {error.args[0]!r}") from None
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
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


def parse_granted(given: Any, budget: Budget) -> float:
    """Read how many dollars are granted: all of the budget if nothing is said, never more."""
    granted = budget.dollars if given is None else float(given)
    if not granted >= 0:
        raise ValueError("what is granted is not an amount")
    return min(granted, budget.dollars)


def parse_tests(given: dict[str, Any]) -> Tests:
    """Read the commands ``setup`` and ``command``."""
    return Tests(str(given.get("setup") or ""), str(given.get("command") or ""))


def parse_egress(given: Any) -> tuple[str, ...]:
    """Read a list of host names, without repetitions; raises ValueError for what is none."""
    if not isinstance(given, list):
        raise TypeError("egress is not a list")
    hosts = [str(each).lower() for each in given]
    for host in hosts:
        if len(host) > LONGEST_HOST or not HOST.fullmatch(host):
            raise ValueError(f"egress: {host[:80]!r} is no host name")
    return tuple(dict.fromkeys(hosts))


def signatures(url: str) -> list[str]:
    """Return what is secret in a presigned address, for it may be shown in parts."""
    named = parse_qsl(urlsplit(url).query)
    return [value for name, value in named if name.lower().endswith(SECRET_PARAMETERS)]


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine and nowhere else."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
