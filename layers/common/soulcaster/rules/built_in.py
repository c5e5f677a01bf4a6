"""The sources that every project has without anybody making them."""

from typing import Final

from soulcaster.rules import ids
from soulcaster.rules.source import Source

# What a person types, what a key's holder posts, and what a file brings; kinds and names alike.
BUILT_IN: Final = ("form", "api", "file")


def source(project: str, kind: str) -> Source:
    """The project's source of a built-in kind, as it is until somebody changes it."""
    return Source(id=ids.source_id(project, kind), project=project, kind=kind, name=kind)


def sources(project: str) -> dict[str, Source]:
    """All that the project has of them, by id."""
    return {one.id: one for one in (source(project, kind) for kind in BUILT_IN)}
