"""The API on real emulators: a Redis that is empty for each test, queues and secrets."""

import contextlib
from collections.abc import Iterator

import boto3
import pytest
from app import app
from starlette.testclient import TestClient

from local import redis_rest, sqs
from local.serve import running
from soulcaster import wiring
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.servers import TOKEN, command, secrets_manager
from tests.local.emulated import options

KEY = "an-api-key-of-some-length"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Valkey behind the emulated REST protocol."""
    with redis_rest.started(tmp_path_factory.mktemp("redis"), TOKEN) as url:
        yield url


@pytest.fixture(scope="session")
def sqs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an SQS with the two queues that the API sends to."""
    with running(sqs.app(tmp_path_factory.mktemp("sqs"))) as url:
        for name in ("fix", "cluster"):
            boto3.client("sqs", **options(url)).create_queue(QueueName=name)
        yield url


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of a Secrets Manager, and the ARNs of what is in it."""
    with secrets_manager() as url:
        client = boto3.client("secretsmanager", **options(url))
        values = {"UPSTASH_REDIS_REST_TOKEN_ARN": TOKEN, "API_KEY_ARN": KEY}
        yield {
            "AWS_ENDPOINT_URL": url,
            **{
                name: client.create_secret(Name=f"api/{name}", SecretString=value)["ARN"]
                for name, value in values.items()
            },
        }


@pytest.fixture(autouse=True)
def _environment(
    redis_server: str, sqs_url: str, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """What the template gives the function, with nothing left from the test before."""
    command(redis_server, "FLUSHALL")
    given = {
        **secrets,
        "UPSTASH_REDIS_REST_URL": redis_server,
        "AWS_ENDPOINT_URL_SQS": sqs_url,
        "FIX_QUEUE_URL": f"{sqs_url}/123456789012/fix",
        "CLUSTER_QUEUE_URL": f"{sqs_url}/123456789012/cluster",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "an-access-key",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
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
    """A client without a key; what goes wrong inside is answered, not raised."""
    return TestClient(app, "https://api.example", raise_server_exceptions=False)


@pytest.fixture
def api(anybody: TestClient) -> TestClient:
    """A client with the installation's key."""
    anybody.headers["authorization"] = f"Bearer {KEY}"
    return anybody


@pytest.fixture
def redis(redis_server: str) -> Redis:
    """The store behind the API."""
    return Redis(redis_server, TOKEN)


@pytest.fixture
def larder(redis: Redis) -> Project:
    """A project with a repository."""
    made = Project(id="larder", name="Larder", repository="acme/larder")
    assert ProjectStore(redis).put(made, new=True)
    return made
