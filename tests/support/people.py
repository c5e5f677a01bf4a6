"""People, and what they may do: put straight into Redis."""

import json

from local.dashboard import Person
from soulcaster.rules import api_key
from soulcaster.rules.access import SCOPES
from tests.edges.servers import command

AUDIENCE, PEPPER = "an-installation", "a-pepper-of-some-length"
ADA, BOB, EVE = Person(11, "ada"), Person(12, "bob"), Person(13, "eve")


def give_key(
    redis_url: str, project: str, *scopes: str, pepper: str = PEPPER, **fields: str
) -> str:
    """A key of the project with these scopes, or with all of them; its text."""
    identifier = api_key.new_id(project)
    text = api_key.new_key(identifier)
    values = {
        "mac": api_key.mac(pepper, text),
        "scopes": ",".join(scopes or SCOPES),
        "name": "of a test",
        **fields,
    }
    flat = [part for pair in values.items() for part in pair]
    command(redis_url, "HSET", f"p:{project}:key:{identifier}", *flat)
    return text


def give_role(redis_url: str, project: str, person: Person, role: str) -> None:
    """Make a person a member of the project."""
    command(redis_url, "HSET", f"p:{project}:roles", person.id, role)
    command(redis_url, "HSET", f"p:{project}:members", person.id, _shown(person))
    command(redis_url, "SADD", f"sys:person:{person.id}:projects", project)


def give_installation(redis_url: str, person: Person) -> None:
    """Make a person an owner of the installation."""
    command(redis_url, "HSET", "sys:owners", person.id, _shown(person))


def _shown(person: Person) -> str:
    return json.dumps({"name": person.login, "since": 0})
