"""What the edges' tests start from."""

from collections.abc import Iterator

import pytest

from soulcaster.edges.project_store import ProjectStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.edges.servers import secrets_manager
from tests.support import account


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches a real account."""
    account.nobodys(monkeypatch)


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
