"""What is asked of sources and refused: it is answered with why, and changes nothing."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import client_with
from tests.api.sourcing import fault, listed, make
from tests.edges.servers import everything
from tests.support.people import give_key

pytestmark = pytest.mark.usefixtures("larder")

CONFIGS: list[Any] = [None, [], "x", {"subreddits": ["larder"]}]
FILTERS: list[Any] = [
    *(None, [], {"words": []}, {"severity": "terrible"}, {"include": "x"}),
    *({"include": words} for words in ([""], [" "], ["w" * 101], ["w"] * 51, [5])),
]


@pytest.mark.parametrize("project", ["nobody", "lard"])
def test_a_source_needs_its_project(api: TestClient, project: str) -> None:
    """404 for a project that is not there, in all that can be asked."""
    assert make(api, project=project).status_code == 404
    assert api.get("/sources", params={"project": project}).status_code == 404
    for name in ("web", "form"):
        refused(api, f"src_{project}_{name}")


@pytest.mark.parametrize("source", ["src_larder_no", "web", "fb_larder_0a", "src_larder_", "src"])
def test_what_is_no_source_is_not_there(api: TestClient, redis_url: str, source: str) -> None:
    """404, and nothing is made by asking."""
    before = everything(redis_url)
    refused(api, source)
    after = everything(redis_url)
    assert {name for name in after if ":rate:" not in name} == {
        name for name in before if ":rate:" not in name
    }


def refused(api: TestClient, source: str) -> None:
    """Have every route about one source answer that there is none."""
    path = f"/sources/{source}"
    answers = [
        api.get(path),
        api.patch(path, json={"enabled": False}),
        api.delete(path),
        api.post(f"{path}/secret", json={}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["detail"] for answer in answers} == {"there is no such source"}


def test_readers_change_nothing(api: TestClient, redis_url: str) -> None:
    """A key that may read sees sources; of another project's it does not learn that they exist."""
    make(api)
    reader = client_with(give_key(redis_url, "larder", "read", "triage", "fix", "ingest"))
    assert reader.get("/sources", params={"project": "larder"}).status_code == 200
    assert reader.get("/sources/src_larder_web").status_code == 200
    path = "/sources/src_larder_web"
    answers = [
        make(reader, name="other"),
        reader.patch(path, json={"enabled": False}),
        reader.delete(path),
        reader.post(f"{path}/secret", json={}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert listed(api)[0]["enabled"]
    refused(client_with(give_key(redis_url, "attic")), "src_larder_web")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("project", value) for value in ("", "A", "a_b", "a:b", None)),
        *(("name", value) for value in ("", "A", "a_b", "-a", "n" * 41, "a/b", None)),
        *(("kind", value) for value in ("", "gitlab", "form", "__init__", None, 5)),
        *(("config", value) for value in CONFIGS),
        *(("enabled", value) for value in ("perhaps", None)),
        *(("per_minute", value) for value in (0, -1, 100_001, 1.5, "many", None)),
        *(("filters", value) for value in FILTERS),
        ("webhook", "https://evil.example"),
    ],
)
def test_the_field_at_fault_is_named(api: TestClient, field: str, value: Any) -> None:
    """422 with the field, and nothing is made."""
    assert fault(make(api, **{field: value}))[:2] == ["body", field]
    assert listed(api) == []


@pytest.mark.parametrize(
    ("kind", "config", "where"),
    [
        ("reddit", {}, "subreddits"),
        ("reddit", {"subreddits": ["../x"]}, "subreddits"),
        ("reddit", {"subreddits": ["ok"] * 21}, "subreddits"),
        ("github", {"repository": "larder"}, "repository"),
        ("github", {"repository": ["a/b"]}, "repository"),
        ("standard", {"colour": "red"}, "colour"),
    ],
)
def test_what_a_kind_does_not_take_is_named(
    api: TestClient, kind: str, config: dict[str, Any], where: str
) -> None:
    """422 with the field of the config, in making and in changing; then all stays as it was."""
    assert fault(make(api, kind=kind, config=config)) == ["body", "config", where]
    good = {"subreddits": ["larder"]} if kind == "reddit" else {}
    assert make(api, kind=kind, config=good).status_code == 201
    before = listed(api)
    changed = api.patch("/sources/src_larder_web", json={"config": config})
    assert fault(changed) == ["body", "config", where]
    assert listed(api) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("per_minute", value) for value in (0, 100_001, "many")),
        *(("enabled", "perhaps"), ("enabled", [])),
        ("filters", {"include": "x"}),
        ("config", []),
        *(("name", "new"), ("kind", "github"), ("secret", "s" * 20), ("secrets", [])),
    ],
)
def test_what_can_not_be_changed_is_named(api: TestClient, field: str, value: Any) -> None:
    """422 with the field, and the source stays as it is."""
    made = make(api).json()
    made.pop("secret")
    assert fault(api.patch("/sources/src_larder_web", json={field: value}))[:2] == ["body", field]
    assert listed(api) == [made]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("config", r'{"\ud800": 1}'),
        ("config", r'{"subreddits": ["\ud800"]}'),
        ("config", '{"poll": NaN}'),
        ("config", '{"x": ' + "[" * 900 + "]" * 900 + "}"),
        ("config", '{"x": "' + "x" * 20_000 + '"}'),
        ("filters", r'{"include": ["\udfff"]}'),
    ],
)
def test_what_can_not_be_kept_is_named(api: TestClient, field: str, value: str) -> None:
    """What some JSON has and neither a store nor an answer can hold is a 422 with the field."""
    make(api)
    body = f'{{"project": "larder", "name": "other", "kind": "reddit", "{field}": {value}}}'
    headers = {"content-type": "application/json"}
    assert fault(api.post("/sources", content=body, headers=headers))[:2] == ["body", field]
    body = f'{{"{field}": {value}}}'
    changed = api.patch("/sources/src_larder_web", content=body, headers=headers)
    assert fault(changed)[:2] == ["body", field]
    assert len(listed(api)) == 1
