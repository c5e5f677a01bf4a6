"""What tests of any part may ask for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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
