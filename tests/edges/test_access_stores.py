"""Keys, members and invitations, past the API."""

import pytest

from soulcaster.edges.key_store import KeyStore
from soulcaster.edges.member_store import MemberStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.access import Caller, Rule
from soulcaster.rules.correction import Conflict, NotThere
from soulcaster.rules.project import Project
from tests.edges.servers import everything

NOW = 1_700_000_000_000
WHO = Caller(by="person", id="github:11", name="ada", rule=Rule("admin"), now=NOW)


def add(redis: Redis, project: str, mac: str) -> None:
    KeyStore(redis).add(
        project,
        "key_larder_0a0a0a0a",
        mac,
        name="import",
        scopes=["read"],
        expires=None,
        made_by="ada",
        now=NOW,
    )


def test_an_id_names_one_key_for_ever(redis: Redis, redis_url: str, project: Project) -> None:
    """One that chance makes twice is refused, also when the first was revoked."""
    add(redis, "larder", "mac 1")
    KeyStore(redis).revoke("larder", "key_larder_0a0a0a0a", NOW)
    before = everything(redis_url)
    with pytest.raises(Conflict, match="try again"):
        add(redis, "larder", "mac 2")
    assert everything(redis_url) == before


def test_an_id_names_one_invitation(redis: Redis, redis_url: str, project: Project) -> None:
    """The same, while there is the first."""
    members = MemberStore(redis)
    members.invite("larder", "inv_larder_0a0a0a0a", "mac 1", "viewer", "", WHO)
    before = everything(redis_url)
    with pytest.raises(Conflict, match="try again"):
        members.invite("larder", "inv_larder_0a0a0a0a", "mac 2", "owner", "", WHO)
    assert everything(redis_url) == before


def test_where_there_is_no_project_nothing_is_made(redis: Redis, redis_url: str) -> None:
    """Neither a key nor an invitation, and there are no lists."""
    with pytest.raises(NotThere, match="project"):
        add(redis, "nowhere", "mac")
    with pytest.raises(NotThere, match="project"):
        MemberStore(redis).invite("nowhere", "inv_nowhere_0a0a0a0a", "mac", "viewer", "", WHO)
    assert KeyStore(redis).page("nowhere", "", 10, NOW) is None
    assert MemberStore(redis).all("nowhere") is None
    assert MemberStore(redis).invitations("nowhere", NOW) is None
    assert everything(redis_url) == {}
