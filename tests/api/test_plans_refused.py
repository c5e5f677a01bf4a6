"""What is taken as a plan, and what is not."""

import json
from itertools import product
from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.redis import Redis
from soulcaster.rules.project import Project
from tests.api.planning import edited, plans
from tests.edges.clusters import clustered
from tests.rules.samples import feedback


@pytest.fixture
def cluster(redis: Redis, larder: Project) -> str:
    return clustered(redis, feedback(), name="Export")


def test_a_version_that_is_not_there_is_not_approved(api: TestClient, cluster: str) -> None:
    """404 for a number that no version has, 422 for what is no such number."""
    api.put(f"/clusters/{cluster}/plan", json=edited(0))
    answer = api.post(f"/clusters/{cluster}/plans/2/approve")
    assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such plan"})
    for version in ("0", "-1", "51", "latest", "1.5", "9" * 30):
        assert api.post(f"/clusters/{cluster}/plans/{version}/approve").status_code == 422
    assert plans(api, cluster)["approved"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *product(["based_on"], (None, -1, 51, "latest", 1.5)),
        *product(["problem"], (None, "", " \u200b\n", "x" * 2_001, 3, "\ud800")),
        *product(["reproduction"], (None, "x" * 3_001, [])),
        *product(["verification"], (None, "x" * 3_001, {})),
        *product(["files"], (None, "a.py", ["a.py"] * 21, [3], ["x" * 201])),
        *product(
            ["files"],
            [[name] for name in ("", "/etc/passwd", "../x", "a\\b", "a\nb", "\u200ba.py")],
        ),
        ("by", "me"),
        ("approved_at", 1),
    ],
)
def test_nonsense_names_the_field_at_fault(
    api: TestClient, cluster: str, field: str, value: Any
) -> None:
    """422, and no version."""
    answer = api.put(
        f"/clusters/{cluster}/plan",
        content=json.dumps({**edited(0), field: value}),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", field]
    assert plans(api, cluster)["versions"] == []


@pytest.mark.parametrize("field", edited(0))
def test_an_edit_is_whole(api: TestClient, cluster: str, field: str) -> None:
    """A part that was forgotten is not taken for an empty one."""
    body = {name: value for name, value in edited(0).items() if name != field}
    answer = api.put(f"/clusters/{cluster}/plan", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_an_edit_holds_only_what_can_be_seen(api: TestClient, cluster: str) -> None:
    """What was pasted along unseen is left out; what looks like markup stays."""
    body = edited(
        0, problem="\u200bExport <T> \u202efails\x00 <!-- here -->", files=["b", "a", "b"]
    )
    written = api.put(f"/clusters/{cluster}/plan", json=body).json()
    assert written["problem"] == "Export <T> fails <!-- here -->"
    assert written["files"] == ["b", "a"]
