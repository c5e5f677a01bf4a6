"""Emulators that live as long as the tests of this folder; Redis is empty for each test."""

from collections.abc import Iterator

import boto3
import pytest

from local import redis_rest
from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.servers import TOKEN, command, secrets_manager


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of nobody's, and nothing of the account of whoever runs the tests."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # another test's credentials


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Valkey behind the emulated REST protocol."""
    with redis_rest.started(tmp_path_factory.mktemp("redis"), TOKEN) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same, emptied."""
    command(redis_server, "FLUSHALL")
    return redis_server


@pytest.fixture
def redis(redis_url: str) -> Redis:
    """The edge of an empty Redis."""
    return Redis(redis_url, TOKEN)


@pytest.fixture
def project(redis: Redis) -> Project:
    """The project ``larder``, with a repository."""
    made = Project(id="larder", name="Larder", repository="acme/larder")
    assert ProjectStore(redis).put(made, new=True)
    return made


@pytest.fixture(scope="session")
def secrets_url() -> Iterator[str]:
    """The address of a Secrets Manager."""
    with secrets_manager() as url:
        yield url
