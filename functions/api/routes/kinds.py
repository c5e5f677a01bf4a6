"""Kinds of source, as callers name them and as they are shown."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from soulcaster.rules.built_in import BUILT_IN
from soulcaster.rules.kinds import KINDS, Kind


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"is none of {', '.join(KINDS)}")
    return kind


KindName = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="A kind of source, see GET /source-kinds"),
    AfterValidator(_known),
]


class KindOut(BaseModel):
    """A kind of source.

    `secret` says who makes what its deliveries are signed with: `made` here, `given` by the vendor,
    or `none`, as it sends no webhooks. `polled` says whether it is read on a schedule: `optional`
    is where its config says `"poll": true`. What is `built_in` every project has, once.
    """

    id: str
    label: str
    webhook: bool
    secret: Literal["made", "given", "none"]
    polled: Literal["always", "optional", "never"]
    built_in: bool


def kinds() -> list[KindOut]:
    """All that there are, by id."""
    return [
        KindOut(
            id=name,
            label=kind.LABEL,
            webhook=kind.SIGNING != "none",
            secret=kind.SIGNING,
            polled=_polled(kind),
            built_in=name in BUILT_IN,
        )
        for name, kind in KINDS.items()
    ]


def _polled(kind: Kind) -> Literal["always", "optional", "never"]:
    if kind.polled({}):
        return "always"
    return "optional" if kind.polled({"poll": True}) else "never"
