"""The API on real emulators: a Redis that is empty for each test, queues and secrets."""

import contextlib
from collections.abc import Iterator

import boto3
import pytest
from app import app
from starlette.testclient import TestClient

from local import s3, sqs
from local.dashboard import Dashboard, Person, key_set
from local.parameters import DIMENSIONS, EMBEDDING_MODEL
from local.serve import running
from soulcaster import wiring
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.servers import TOKEN, secrets_manager
from tests.local.emulated import SECRET_KEY, options
from tests.support import account
from tests.support.people import ADA, AUDIENCE, PEPPER, give_installation

DASHBOARD = Dashboard("2026-11")
NOWHERE = "http://127.0.0.1:1"  # nobody listens there; tests that search by meaning have others


@pytest.fixture(scope="session")
def sqs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an SQS with the queues that the API sends to."""
    with running(sqs.app(tmp_path_factory.mktemp("sqs"))) as url:
        for name in ("fix", "cluster", "feedback", "import"):
            boto3.client("sqs", **options(url)).create_queue(QueueName=name)
        yield url


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 with the bucket that tasks upload to."""
    with running(s3.app(tmp_path_factory.mktemp("s3"), SECRET_KEY)) as url:
        boto3.client("s3", **options(url)).create_bucket(Bucket="records")
        yield url


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of a Secrets Manager, and the ARNs of what is in it."""
    with secrets_manager() as url:
        client = boto3.client("secretsmanager", **options(url))
        values = {
            "UPSTASH_REDIS_REST_TOKEN_ARN": TOKEN,
            "UPSTASH_VECTOR_REST_TOKEN_ARN": TOKEN,
            "GEMINI_API_KEY_ARN": TOKEN,
            "KEY_PEPPER_ARN": PEPPER,
        }
        yield {
            "AWS_ENDPOINT_URL": url,
            **{
                name: client.create_secret(Name=f"api/{name}", SecretString=value)["ARN"]
                for name, value in values.items()
            },
        }


@pytest.fixture(autouse=True)
def _environment(
    redis_url: str,
    sqs_url: str,
    s3_url: str,
    secrets: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """What the template gives the function, with nothing left from the test before."""
    account.nobodys(monkeypatch)
    given = {
        **secrets,
        "UPSTASH_REDIS_REST_URL": redis_url,
        "UPSTASH_VECTOR_REST_URL": NOWHERE,
        "GOOGLE_GEMINI_BASE_URL": NOWHERE,
        "EMBEDDING_MODEL": EMBEDDING_MODEL,
        "EMBEDDING_DIMENSIONS": str(DIMENSIONS),
        "NAMING_MODEL": "extractive-local",
        "AWS_ENDPOINT_URL_SQS": sqs_url,
        "FIX_QUEUE_URL": f"{sqs_url}/123456789012/fix",
        "CLUSTER_QUEUE_URL": f"{sqs_url}/123456789012/cluster",
        "FEEDBACK_QUEUE_URL": f"{sqs_url}/123456789012/feedback",
        "IMPORT_QUEUE_URL": f"{sqs_url}/123456789012/import",
        "DASHBOARD_KEYS": key_set(DASHBOARD),
        "API_AUDIENCE": AUDIENCE,
        "JOBS_AT_ONCE": "5",
        "AWS_ENDPOINT_URL_S3": s3_url,
        "BUCKET": "records",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    forget()
    yield
    forget()


def forget() -> None:
    """Have every edge made anew, from the environment as it is now."""
    for value in vars(wiring).values():
        with contextlib.suppress(AttributeError):
            value.cache_clear()


@pytest.fixture
def anybody() -> TestClient:
    """A client without a credential; what goes wrong inside is answered, not raised."""
    return TestClient(app, "https://api.example", raise_server_exceptions=False)


@pytest.fixture
def api(redis_url: str) -> TestClient:
    """A client for an owner of the installation, who may do everything in every project."""
    give_installation(redis_url, ADA)
    return signed_in(ADA)


def signed_in(person: Person) -> TestClient:
    """A client for a person, as the dashboard is one."""
    return client_with(DASHBOARD.token(person, AUDIENCE))


def client_with(credential: str) -> TestClient:
    """A client with a key or a token."""
    headers = {"authorization": f"Bearer {credential}"}
    client = TestClient(app, "https://api.example", raise_server_exceptions=False)
    client.headers.update(headers)
    return client


@pytest.fixture
def larder(redis: Redis) -> Project:
    """A project with a repository."""
    made = Project(id="larder", name="Larder", repository="acme/larder")
    assert ProjectStore(redis).put(made, new=True)
    return made
