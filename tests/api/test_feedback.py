import json

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.redis import Redis
from tests.edges.clusters import clustered
from tests.edges.readings import ITEM, comment, told
from tests.edges.servers import command, everything
from tests.rules.samples import NOW

pytestmark = pytest.mark.usefixtures("larder")
PATH = f"/feedback/{ITEM.id}"


def test_an_item_is_read_with_what_was_said_about_it(api: TestClient, redis: Redis) -> None:
    """The oldest first; lists and clusters say how much there is of it."""
    cluster = clustered(redis, ITEM)
    told(redis, comment(), comment(id="c2", at=NOW, body="Same.", reports=False))
    found = api.get(PATH).json()
    assert [(one["id"], one["body"], one["reports"]) for one in found["evidence"]] == [
        ("c2", "Same.", False),
        ("c1", comment().body, True),
    ]
    (listed,) = api.get("/feedback?project=larder").json()["items"]
    (member,) = api.get(f"/clusters/{cluster}").json()["feedback"]
    assert found["evidence_count"] == listed["evidence_count"] == member["evidence_count"] == 2
    assert "evidence" not in listed


def test_an_item_is_removed_for_good(api: TestClient, redis: Redis, redis_url: str) -> None:
    """It is there no more, and neither is its cluster in a list; its source can't bring it back."""
    cluster = clustered(redis, ITEM)
    assert api.delete(PATH).status_code == 204
    assert api.get(PATH).status_code == api.delete(PATH).status_code == 404
    assert told(redis, ITEM) == 0
    assert api.get("/clusters?project=larder&status=all").json()["items"] == []
    shown = api.get(f"/clusters/{cluster}").json()
    assert (shown["size"], shown["status"], shown["feedback"]) == (0, "open", [])
    assert ITEM.title not in json.dumps(shown)


def test_who_removed_an_item_is_noted(api: TestClient, redis: Redis, redis_url: str) -> None:
    """Once, with nothing of what it said."""
    told(redis, ITEM)
    api.delete(PATH)
    api.delete(PATH)
    numbers = command(redis_url, "ZRANGE", "p:larder:audit", 0, -1)
    (note,) = [everything(redis_url)[f"p:larder:aud:{number}"] for number in numbers]
    assert (note["what"], note["on"], note["name"]) == ("removed feedback", ITEM.id, "ada")
    assert json.loads(note["before"]) == {"source": "github", "created_at": NOW}


@pytest.mark.parametrize("identifier", ["fb_larder_none", "fb_attic_none", "cl_larder_x", "x"])
def test_what_is_not_there_is_not_removed(api: TestClient, identifier: str) -> None:
    """404, whatever it looks like."""
    assert api.delete(f"/feedback/{identifier}").status_code == 404
