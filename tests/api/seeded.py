"""A project that has one of everything, so that every route has something to be asked about."""

from dataclasses import dataclass

from local.dashboard import Person
from soulcaster.edges.clock import now_ms
from soulcaster.edges.installation_store import InstallationStore
from soulcaster.edges.redis import Redis
from soulcaster.rules import api_key
from tests.api.conftest import signed_in
from tests.api.fixing import HOUR, asked
from tests.api.planning import edited
from tests.edges.clusters import clustered
from tests.rules.samples import feedback
from tests.support.people import ADA, PEPPER, give_installation, give_role

MEMBER = Person(99, "mel")


@dataclass(frozen=True)
class Seeded:
    """The ids for the variables of paths, and the secret texts that were handed out."""

    ids: dict[str, str]
    secrets: list[str]


def seed(redis: Redis, redis_url: str) -> Seeded:
    """The project ``larder`` with all that there can be in it, made by an owner where that is how
    it is made.
    """
    give_installation(redis_url, ADA)
    api = signed_in(ADA)

    def made(path: str, **body: object) -> dict[str, str]:
        answer = api.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    made("/projects", id="larder", name="Larder", repository="acme/larder")
    items = [feedback(external_id=f"issue:{n}", title=f"Export {n}") for n in range(6)]
    cluster = clustered(redis, *items[:2], name="Export")
    second = clustered(redis, *items[2:4], name="Import")
    third = clustered(redis, items[4], name="Undo")
    worked = clustered(redis, items[5], name="Crash")
    merged = made(f"/clusters/{second}/merge", clusters=[third])
    made("/sources", project="larder", name="door", kind="standard")
    key = made("/projects/larder/keys", name="a key", scopes=["admin"])
    invitation = made("/projects/larder/invitations", role="viewer")
    imported = made("/imports", project="larder", format="csv", name="old.csv")
    give_role(redis_url, "larder", MEMBER, "viewer")
    give_installation(redis_url, MEMBER)
    owner = api_key.new_owner_token()
    InstallationStore(redis).offer(api_key.mac(PEPPER, owner), now_ms() + HOUR, now_ms())
    plan = api.put(f"/clusters/{cluster}/plan", json=edited(0))
    assert plan.status_code == 200, plan.text
    return Seeded(
        ids={
            "project": "larder",
            "feedback": items[0].id,
            "item": items[1].id,
            "cluster": cluster,
            "other": second,
            "job": asked(redis, worked),
            "correction": merged["id"],
            "version": "1",
            "source": "src_larder_door",
            "import": imported["id"],
            "key": key["id"],
            "person": MEMBER.id,
            "invitation": invitation["id"],
            "token": invitation["token"],
            "owner_token": owner,
        },
        secrets=[key["key"], invitation["token"], owner],
    )
