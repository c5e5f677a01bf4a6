"""S24: what the API does is what openapi.json says, whatever it is asked and whoever asks."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from app import app
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from local.serve import running
from soulcaster.edges.redis import Redis
from tests.api.conftest import DASHBOARD
from tests.api.planning import Model
from tests.api.seeded import seed
from tests.support.people import ADA, AUDIENCE, EVE, give_role

PAGE = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
for operations in PAGE["paths"].values():
    for operation in operations.values():
        del operation["security"]  # or it would make credentials of its own
SCHEMA = schemathesis.openapi.from_dict(PAGE)
SCHEMA.app = app
PROMISED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
CHOSEN: Any = [check for check in CHECKS.get_all() if check.__name__ in PROMISED]
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,  # what fails here fails everywhere
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_TURNS = itertools.count()


@pytest.fixture
def ids(redis: Redis, redis_url: str) -> dict[str, str]:
    """What there is in a project that has one of everything."""
    seeded = seed(redis, redis_url)
    give_role(redis_url, "larder", EVE, "viewer")
    return seeded.ids


@pytest.fixture(autouse=True)
def _model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A model that drafts a plan for whoever asks."""
    with running(Model().app) as url:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)
        yield


@SCHEMA.parametrize()
@BOUNDED
def test_s24_answers_are_as_documented(case: schemathesis.Case[Any], ids: dict[str, str]) -> None:
    """No 5xx, and no status, header or body that the page does not have; about what is there and
    about anything, by an owner, by a viewer and by nobody.
    """
    if next(_TURNS) % 2:
        for parameters in (case.path_parameters, case.query):
            parameters.update({name: ids[name] for name in parameters if name in ids})
    for person in (ADA, EVE, None):
        case.headers.pop("authorization", None)
        if person:
            case.headers["authorization"] = f"Bearer {DASHBOARD.token(person, AUDIENCE)}"
        answer = case.call()
        case.validate_response(answer, checks=CHOSEN)
        if person is None:  # a body that is no JSON, and a method that there is not, come first
            assert answer.status_code in (400, 401, 405)
        else:
            assert answer.status_code != 401
