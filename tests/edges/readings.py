"""What a source says of an item besides the item itself, and what becomes of it."""

from typing import Any

from soulcaster.edges.feedback_store import FeedbackStore
from soulcaster.edges.redis import Redis
from soulcaster.rules.feedback import Feedback
from soulcaster.rules.readings import About, Evidence, Moved, Settled, Withdrawn
from tests.edges.servers import command
from tests.rules.samples import NOW, PROJECT, feedback

HOUR = 60 * 60 * 1000
ITEM = feedback()


def comment(**given: Any) -> Evidence:
    """A comment on ``ITEM`` by somebody who has the problem, too."""
    fields: dict[str, Any] = {
        "project": PROJECT,
        "about": ITEM.id,
        "id": "c1",
        "author": "grace",
        "body": "It happens to me, too.",
        "url": "https://github.example/acme/larder/issues/1#c1",
        "at": NOW + HOUR,
        "version": NOW + HOUR,
        "received_at": NOW + HOUR + 5,
    }
    return Evidence(**{**fields, **given})


def settled(at: int = NOW + HOUR, about: str = ITEM.id) -> Settled:
    """The item was closed."""
    return Settled(project=PROJECT, about=about, at=at, received_at=at + 5)


def withdrawn(about: str = ITEM.id, received: int = NOW + HOUR) -> Withdrawn:
    """The item was deleted."""
    return Withdrawn(project=PROJECT, about=about, received_at=received)


def moved(to: str, about: str = ITEM.id, received: int = NOW + HOUR) -> Moved:
    """The item is called something else."""
    return Moved(project=PROJECT, about=about, to=to, received_at=received)


def told(redis: Redis, *readings: Feedback | About) -> int:
    """Store readings in one call; returns how many items are new."""
    return FeedbackStore(redis).store(PROJECT, [(one, "raw") for one in readings])


def shown(redis: Redis, identifier: str = ITEM.id) -> dict[str, Any]:
    """An item as the API shows it."""
    found = FeedbackStore(redis).read(PROJECT, identifier)
    assert found is not None
    return found


def keys(url: str, identifier: str) -> list[str]:
    """The keys that have to do with an item, and those that hold its id."""
    found = []
    for key in command(url, "KEYS", "*"):
        kind = command(url, "TYPE", key)
        read = {
            "hash": ("HGETALL", key),
            "set": ("SMEMBERS", key),
            "zset": ("ZRANGE", key, 0, -1),
            "list": ("LRANGE", key, 0, -1),
            "string": ("GET", key),
        }[kind]
        if identifier in key or identifier in str(command(url, *read)):
            found.append(key.removeprefix(f"p:{PROJECT}:"))
    return sorted(found)
