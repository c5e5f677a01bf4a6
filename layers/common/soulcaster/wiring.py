"""The only place where edges are made. Each is made once a process, when first asked for.

One that holds a credential is made again when the credential was replaced.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, cast

from soulcaster.edges.audit_store import AuditStore
from soulcaster.edges.cluster_list import ClusterList
from soulcaster.edges.cluster_store import ClusterStore
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.import_store import ImportStore
from soulcaster.edges.installation_store import InstallationStore
from soulcaster.edges.intake import Intake
from soulcaster.edges.job_store import JobStore
from soulcaster.edges.key_store import KeyStore
from soulcaster.edges.look_store import LookStore
from soulcaster.edges.member_store import MemberStore
from soulcaster.edges.model_store import ModelStore
from soulcaster.edges.plan_store import PlanStore
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.pull_store import PullStore
from soulcaster.edges.redis import Redis
from soulcaster.edges.search_store import SearchStore
from soulcaster.edges.secrets import Secrets
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules import api_key
from soulcaster.settings import setting

# Imported where they are made: what one function needs must not cost the others their start.
if TYPE_CHECKING:
    from soulcaster.edges.bucket import Bucket
    from soulcaster.edges.dashboard_tokens import DashboardTokens
    from soulcaster.edges.gemini import Gemini
    from soulcaster.edges.github import GitHub
    from soulcaster.edges.planner import Planner
    from soulcaster.edges.queues import Queue
    from soulcaster.edges.reddit import Reddit
    from soulcaster.edges.tasks import Tasks
    from soulcaster.edges.vector import Vectors
    from soulcaster.rules.access import Caller
    from soulcaster.use_cases.claim import Agent


# What a list of hosts is when there are none: a setting can't be empty.
NOWHERE = "none"


@cache
def secrets() -> Secrets:
    """Secrets Manager."""
    return Secrets()


@cache
def _made() -> dict[object, tuple[tuple[object, ...], object]]:
    return {}


def _once[T](make: Callable[..., T], *arguments: object) -> T:
    """``make(*arguments)``, kept for as long as the arguments stay the same."""
    made = _made()
    if make not in made or made[make][0] != arguments:
        made[make] = (arguments, make(*arguments))
    return cast("T", made[make][1])


def secret(name: str) -> str:
    """The text of the secret whose ARN the variable ``name`` holds."""
    return secrets().read(setting(name))


def mac(text: str) -> str:
    """What is kept of a key or another secret text; see ``rules.api_key``."""
    return api_key.mac(secret("KEY_PEPPER_ARN"), text)


def redis(who: "Caller | None" = None) -> Redis:
    """Redis; as ``who`` may use it, where somebody asks from outside."""
    arn = "UPSTASH_REDIS_REST_TOKEN_ARN"
    made = _once(Redis, setting("UPSTASH_REDIS_REST_URL"), secret(arn))
    return made.acting(who) if who else made


def feedback(who: "Caller | None" = None) -> FeedbackStore:
    """Feedback in Redis."""
    return FeedbackStore(redis(who))


def imports(who: "Caller | None" = None) -> ImportStore:
    """Imports of files in Redis."""
    return ImportStore(redis(who))


def intake(who: "Caller | None" = None) -> Intake:
    """What projects take in by themselves, in Redis."""
    return Intake(redis(who))


def clusters() -> ClusterStore:
    """How clusters are made in Redis."""
    return ClusterStore(redis())


def looks(who: "Caller | None" = None) -> LookStore:
    """Second looks at clusters in Redis."""
    return LookStore(redis(who))


def cluster_list(who: "Caller | None" = None) -> ClusterList:
    """Clusters in Redis as people see them."""
    return ClusterList(redis(who))


def corrections(who: "Caller | None" = None) -> CorrectionStore:
    """People's corrections in Redis."""
    return CorrectionStore(redis(who))


def searches(who: "Caller | None" = None) -> SearchStore:
    """The index of words in Redis."""
    return SearchStore(redis(who))


def jobs(who: "Caller | None" = None) -> JobStore:
    """Fix jobs in Redis."""
    return JobStore(redis(who), int(setting("JOBS_AT_ONCE")))


def models() -> ModelStore:
    """What was measured of embedding models, in Redis."""
    return ModelStore(redis())


def plans(who: "Caller | None" = None) -> PlanStore:
    """Plans in Redis."""
    return PlanStore(redis(who))


def pulls() -> PullStore:
    """Pull requests of fix jobs in Redis."""
    return PullStore(redis())


def projects(who: "Caller | None" = None) -> ProjectStore:
    """Projects in Redis."""
    return ProjectStore(redis(who))


def sources(who: "Caller | None" = None) -> SourceStore:
    """Sources in Redis."""
    return SourceStore(redis(who))


def keys(who: "Caller | None" = None) -> KeyStore:
    """API keys in Redis."""
    return KeyStore(redis(who))


def members(who: "Caller | None" = None) -> MemberStore:
    """Who belongs to a project, in Redis."""
    return MemberStore(redis(who))


def installation(who: "Caller | None" = None) -> InstallationStore:
    """Who the installation belongs to, in Redis."""
    return InstallationStore(redis(who))


def audit(who: "Caller | None" = None) -> AuditStore:
    """The log of what was changed, in Redis."""
    return AuditStore(redis(who))


def dashboard_tokens() -> "DashboardTokens":
    """What verifies the dashboard's tokens."""
    from soulcaster.edges.dashboard_tokens import DashboardTokens

    return _once(DashboardTokens, setting("DASHBOARD_KEYS"), setting("API_AUDIENCE"))


@cache
def queue(variable: str) -> "Queue":
    """The queue whose address the variable holds."""
    from soulcaster.edges.queues import Queue

    return Queue(setting(variable))


def vectors(hurried: bool = False) -> "Vectors":
    """The vector index; ``hurried`` where somebody waits for the answer."""
    from soulcaster.edges.vector import Vectors

    return _once(
        Vectors,
        setting("UPSTASH_VECTOR_REST_URL"),
        secret("UPSTASH_VECTOR_REST_TOKEN_ARN"),
        setting("EMBEDDING_MODEL"),
        int(setting("EMBEDDING_DIMENSIONS")),
        hurried,
    )


def gemini(hurried: bool = False) -> "Gemini":
    """Gemini; ``hurried`` where somebody waits for the answer."""
    from soulcaster.edges.gemini import Gemini

    return _once(
        Gemini,
        setting("GOOGLE_GEMINI_BASE_URL"),
        secret("GEMINI_API_KEY_ARN"),
        setting("EMBEDDING_MODEL"),
        int(setting("EMBEDDING_DIMENSIONS")),
        setting("NAMING_MODEL"),
        hurried,
    )


def planner() -> "Planner":
    """What drafts plans."""
    from soulcaster.edges.planner import Planner

    # It has limits of its own, so it can share what searches use.
    return Planner(gemini(hurried=True))


def github() -> "GitHub":
    """GitHub, as our App."""
    from soulcaster.edges.github import GitHub

    app = json.loads(secret("GITHUB_APP_ARN"))
    return _once(GitHub, setting("GITHUB_API_URL"), str(app["app_id"]), app["private_key"])


def reddit() -> "Reddit":
    """Reddit, read only."""
    from soulcaster.edges.reddit import Reddit

    app = json.loads(secret("REDDIT_APP_ARN"))
    return _once(
        Reddit,
        setting("REDDIT_URL"),
        setting("REDDIT_OAUTH_URL"),
        app["client_id"],
        app["client_secret"],
        "soulcaster/0.1 (feedback reader)",
    )


@cache
def bucket() -> "Bucket":
    """Where patches, logs and files to import lie."""
    from soulcaster.edges.bucket import Bucket

    return Bucket(setting("BUCKET"))


@cache
def tasks() -> "Tasks":
    """Where agents run."""
    from soulcaster.edges.tasks import Tasks

    return Tasks(
        cluster=setting("ECS_CLUSTER"),
        definition=setting("TASK_DEFINITION"),
        container=setting("TASK_CONTAINER"),
        subnets=setting("TASK_SUBNETS").split(","),
        security_groups=setting("TASK_SECURITY_GROUPS").split(","),
    )


def agent() -> "Agent":
    """What works on fixes, and with which model."""
    from soulcaster.use_cases.claim import Agent, Model

    model = Model(
        setting("MODEL_BASE_URL"),
        secret("MODEL_API_KEY_ARN"),
        setting("MODEL_NAME"),
        float(setting("MODEL_PRICE_READ")),
        float(setting("MODEL_PRICE_WRITTEN")),
    )
    hosts = setting("AGENT_EGRESS").split(",")
    return Agent(setting("AGENT_ENGINE"), model, tuple(h for h in hosts if h != NOWHERE))
