from typing import Any

import pytest
from starlette.testclient import TestClient

from soulcaster.edges.cluster_store import ClusterStore
from soulcaster.edges.correction_store import CorrectionStore
from soulcaster.edges.look_store import LookStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.correction import Decision
from soulcaster.rules.grouping.lens import lenses
from tests.edges.clusters import claimed, clustered, into, stored
from tests.rules.samples import NOW, feedback

pytestmark = pytest.mark.usefixtures("larder")


def shown(api: TestClient) -> Any:
    """What decides in ``larder``."""
    answer = api.get("/projects/larder/grouping")
    assert answer.status_code == 200
    return answer.json()


def test_a_new_project_has_the_shipped_bars(api: TestClient) -> None:
    """Each kind's, as nobody has corrected anything, and no look has been taken."""
    found = shown(api)
    assert (found["model"], found["dimensions"]) == ("all-minilm-l6-v2", 384)
    assert (found["looks"], found["looked_at"], found["since"]) == (0, None, 0)
    for kind, lens in lenses().items():
        bar = found["kinds"][kind]
        assert bar == {
            "base": lens.bar, "offset": 0, "bar": lens.bar, "merges": 0, "aparts": 0
        }  # fmt: skip


def test_corrections_show_in_the_bar_as_long_as_they_are_live(
    api: TestClient, redis: Redis
) -> None:
    """A merge lowers that kind's bar and no other's, and undoing it lifts it again."""
    before = shown(api)["kinds"]
    one = clustered(redis, feedback(source="reddit", external_id="1"))
    other = clustered(redis, feedback(source="reddit", external_id="2"))
    people = CorrectionStore(redis)
    made = people.merge("larder", one, [other], Decision("ada", "the same", NOW))
    after = shown(api)["kinds"]
    assert (after["short"]["merges"], after["short"]["aparts"]) == (1, 0)
    assert -0.02 < after["short"]["offset"] < 0
    assert after["short"]["bar"] < before["short"]["bar"] == after["short"]["base"]
    assert (after["report"], after["error"]) == (before["report"], before["error"])
    people.undo(made.correction["id"], Decision("ada", "not the same", NOW))
    assert shown(api)["kinds"] == before


def test_it_says_when_it_was_looked_at(api: TestClient, redis: Redis) -> None:
    """The last look, and what has come since."""
    clustered(redis, feedback())
    looks = LookStore(redis)
    claim = looks.claim("larder", "a", 60_000, NOW, asked=True)
    assert claim is not None
    looks.commit(claim, [], [], [], "", NOW)
    stored(redis, feedback(external_id="2"))
    batch = claimed(redis)
    ClusterStore(redis).commit(batch, into(batch, "cl_larder_x"), [], [], NOW, NOW)
    found = shown(api)
    assert (found["looks"], found["looked_at"], found["since"]) == (1, NOW, 1)


@pytest.mark.parametrize("project", ["attic", "NO", "a:b"])
def test_what_is_no_project_has_no_grouping(api: TestClient, project: str) -> None:
    """404, whatever it looks like."""
    assert api.get(f"/projects/{project}/grouping").status_code == 404
