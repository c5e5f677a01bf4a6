"""Sources put straight into Redis by the product's own edge."""

from soulcaster.edges.redis import Redis
from soulcaster.edges.source_store import SourceStore
from soulcaster.rules.source import Source


def put(redis: Redis, source: Source) -> None:
    """Have the project have this source, in place of one of that id if there is one."""
    store = SourceStore(redis)
    found = store.read(source.project, source.id)
    if found:
        assert store.change(found, source)
    else:
        assert store.make(source) == "made"
