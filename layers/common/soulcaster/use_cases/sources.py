"""Make, change and remove sources; of two who change one at the same time neither is lost."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from soulcaster.edges.source_store import MOST_SOURCES, Found, SourceStore
from soulcaster.rules import built_in, ids
from soulcaster.rules.correction import Conflict
from soulcaster.rules.filters import Filters
from soulcaster.rules.kinds import KINDS
from soulcaster.rules.payload import Unreadable
from soulcaster.rules.rotation import MOST_RETIRING, TooManySecrets, chosen, current, rotated
from soulcaster.rules.source import Source

ATTEMPTS = 4  # to change what others change too


def make(wanted: Source, secret: str | None, *, sources: SourceStore, now: int) -> Source | None:
    """Make a source of what is ``wanted``, with its secret; None when there is no such project.

    Raises ``Unreadable`` for a kind that can't be made, for a config or a secret that it does not
    take, and ``Conflict``.
    """
    if wanted.kind in built_in.BUILT_IN:
        raise Unreadable("kind", "is one that every project has already")
    if wanted.name in built_in.BUILT_IN:
        raise Conflict(f"name: every project has a source {wanted.name} already")
    given = chosen(KINDS[wanted.kind].SIGNING, secret)
    made = replace(
        wanted,
        config=configured(wanted.kind, wanted.config),
        secrets=(given,) if given else (),
    )
    outcome = sources.make(made, now, _noted(made))
    if outcome == "taken":
        raise Conflict(f"name: the project has a source {wanted.name} already")
    if outcome == "full":
        raise Conflict(f"project: it has {MOST_SOURCES} sources, which is as many as it may")
    return made if outcome == "made" else None


def change(
    identifier: str,
    *,
    sources: SourceStore,
    now: int,
    config: Mapping[str, Any] | None = None,
    enabled: bool | None = None,
    filters: Filters | None = None,
    per_minute: int | None = None,
) -> Found | None:
    """Change what is not None; returns the source as it is then, or None when there is none.

    Raises ``Unreadable`` for a config that its kind does not take, and ``Conflict``.
    """

    def edit(source: Source) -> Source:
        wanted: dict[str, Any] = {
            "config": None if config is None else configured(source.kind, config),
            "enabled": enabled,
            "filters": filters,
            "per_minute": per_minute,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        return replace(source, **given)

    return _edited(identifier, edit, "changed source", sources, now)


def rotate(
    identifier: str, secret: str | None, overlap_seconds: int, *, sources: SourceStore, now: int
) -> Found | None:
    """Have deliveries signed with another secret; returns the source as it is then, if there is one
    of that id.

    Raises ``Unreadable`` for a secret that is missing, and ``Conflict``.
    """

    def edit(source: Source) -> Source:
        signing = KINDS[source.kind].SIGNING
        if signing == "none":
            raise Conflict("source: nothing of its kind is signed, so it has no secret")
        fresh = chosen(signing, secret) or ""
        try:
            return rotated(source, fresh, now, overlap_seconds)
        except TooManySecrets as error:
            why = (
                f"secret: {MOST_RETIRING} that were replaced are accepted still, which is the most"
            )
            raise Conflict(f"{why}; an overlap of 0 seconds drops them") from error

    return _edited(identifier, edit, "rotated secret", sources, now)


def remove(identifier: str, *, sources: SourceStore, now: int) -> bool:
    """Remove a source; what came from it stays. False when there is none; raises ``Conflict``."""

    def edit(source: Source) -> None:
        if source.name in built_in.BUILT_IN:
            raise Conflict("source: every project has it; it can be switched off")

    return _edited(identifier, edit, "removed source", sources, now) is not None


def configured(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a kind keeps of a config; raises ``Unreadable`` naming ``config.…``."""
    try:
        return KINDS[kind].configure(config)
    except Unreadable as error:
        if error.field.startswith("config."):
            raise
        raise Unreadable(f"config.{error.field}", error.why) from error


def _edited(
    identifier: str,
    edit: Callable[[Source], Source | None],
    what: str,
    sources: SourceStore,
    now: int,
) -> Found | None:
    """Put what ``edit`` makes of a source in its place, however often others come between."""
    project = ids.project_of(identifier, "src")
    if project is None:
        return None
    for _ in range(ATTEMPTS):
        found = sources.read(project, identifier)
        if found is None:
            return None
        wanted = edit(found.source)
        if wanted == found.source:
            return found
        kept = current(wanted, now) if wanted else None
        before, after = _difference(_noted(found.source), _noted(kept) if kept else {})
        if sources.change(found, kept, now, what, before, after):
            return replace(found, source=kept or found.source)
    raise Conflict("source: others are changing it at this moment; try again")


def _difference(*sides: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each side what it does not share with the other."""
    before, after = sides
    changed = [name for name in before | after if before.get(name) != after.get(name)]
    return [{name: side[name] for name in changed if name in side} for side in sides]


def _noted(source: Source) -> dict[str, Any]:
    """What the log of changes says of a source: no secrets, and nothing that is empty."""
    filters = {name: value for name, value in asdict(source.filters).items() if value}
    noted = {
        "kind": source.kind,
        "name": source.name,
        "config": source.config,
        "enabled": source.enabled,
        "per_minute": source.per_minute,
        "filters": filters,
        "retiring_until": [one.until for one in source.retiring],
    }
    return {name: value for name, value in noted.items() if value not in ({}, [])}
