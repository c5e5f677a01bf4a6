"""Sources, made and listed through the API."""

from typing import Any

from starlette.testclient import TestClient

BUILT_IN = ["src_larder_api", "src_larder_file", "src_larder_form"]


def make(api: TestClient, **given: Any) -> Any:
    """The answer to making a source, of standard webhooks if nothing else is said."""
    return api.post(
        "/sources", json={"project": "larder", "name": "web", "kind": "standard", **given}
    )


def listed(api: TestClient) -> Any:
    """The project's sources but for the built-in ones."""
    found = api.get("/sources", params={"project": "larder"}).json()
    assert [one["id"] for one in found if one["built_in"]] == BUILT_IN
    return [one for one in found if not one["built_in"]]


def fault(answer: Any) -> list[str]:
    """The field that a 422 names."""
    assert answer.status_code == 422, answer.text
    problem = answer.json()["detail"][0]
    assert "input" not in problem
    return list(problem["loc"])
