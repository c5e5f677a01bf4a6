"""What tests of any part may ask for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from soulcaster.edges.redis import Redis
    from tests.support.world import World

MODEL = Path(__file__).resolve().parents[1] / ".soulcaster/state/gemini"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator["World"]:
    """The whole product on real emulators, made once."""
    from tests.support import world  # noqa: PLC0415 - takes two seconds, which few tests need

    # The local cloud's encoder saves building one.
    model = MODEL if MODEL.exists() else tmp_path_factory.mktemp("model")
    with world.started(tmp_path_factory.mktemp("world"), model) as made:
        yield made


@pytest.fixture
def world(deployed: "World") -> "World":
    """The product with nothing stored in it."""
    from tests.support import state  # noqa: PLC0415 - as above

    state.clear(deployed)
    return deployed


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Valkey behind the emulated REST protocol."""
    from local import redis_rest  # noqa: PLC0415 - not every test needs the emulators
    from tests.edges.servers import TOKEN  # noqa: PLC0415 - as above

    with redis_rest.started(tmp_path_factory.mktemp("redis"), TOKEN) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same, emptied."""
    from tests.edges.servers import command  # noqa: PLC0415 - as above

    command(redis_server, "FLUSHALL")
    return redis_server


@pytest.fixture
def redis(redis_url: str) -> "Redis":
    """The edge of an empty Redis."""
    from soulcaster.edges.redis import Redis  # noqa: PLC0415 - as above
    from tests.edges.servers import TOKEN  # noqa: PLC0415 - as above

    return Redis(redis_url, TOKEN)
