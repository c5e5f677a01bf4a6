"""Sources as the API takes and shows them."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from routes.kinds import KindName
from soulcaster.rules.feedback import Severity
from soulcaster.rules.filters import Filters
from soulcaster.rules.ids import PROJECT
from soulcaster.rules.rotation import MOST_OVERLAP_SECONDS, OVERLAP_SECONDS

CONFIG_CHARS = 20_000


def _storable(config: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(config, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("has what can't be kept") from error
    if len(text) > CONFIG_CHARS:
        raise ValueError(f"has more than {CONFIG_CHARS} characters")
    return config


Config = Annotated[dict[str, Any], AfterValidator(_storable)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[list[Word], Field(max_length=50)]
PerMinute = Annotated[int, Field(ge=1, le=100_000, description="Deliveries that it may make")]
Secret = Annotated[str, Field(min_length=16, max_length=200, pattern=r"^[!-~]+$")]


class SourceFilters(BaseModel):
    """Which of its feedback is wanted: all conditions hold, and an empty one always does.

    Title or body has one of the words to `include` and none of those to `exclude`; letter case is
    ignored. Its `severity`, if it has one, is at least that. Its channel is one of `channels`, and
    its author none of `authors`.
    """

    model_config = ConfigDict(extra="forbid")
    include: Words = []
    exclude: Words = []
    severity: Severity | None = None
    channels: Words = []
    authors: Words = []

    def rule(self) -> Filters:
        """The same as it is stored."""
        return Filters.of(self.model_dump())


class SourceNew(BaseModel):
    """A source to make.

    `secret`: what the sender signs with. Where the vendor makes it, it has to be given; elsewhere
    one is made here if none is given. What `config` holds is said in docs/sources.
    """

    model_config = ConfigDict(extra="forbid")
    project: str = Field(pattern=rf"^{PROJECT.pattern}$")
    name: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
    kind: KindName
    secret: Secret | None = None
    config: Config = Field(default_factory=dict)
    enabled: bool = True
    filters: SourceFilters = Field(default_factory=SourceFilters)
    per_minute: PerMinute = 600


class SourceChange(BaseModel):
    """What to change of a source. What is left out, or null, stays; what is given is all of it."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool | None = None
    filters: SourceFilters | None = None
    config: Config | None = None
    per_minute: PerMinute | None = None


class Rotation(BaseModel):
    """A secret to replace what a source has; made here where none has to be given.

    The old one is accepted for `overlap_seconds` yet. With 0 it and all that were replaced earlier
    are dropped; a receiver that has just used one may accept it for up to a minute.
    """

    model_config = ConfigDict(extra="forbid")
    secret: Secret | None = None
    overlap_seconds: int = Field(OVERLAP_SECONDS, ge=0, le=MOST_OVERLAP_SECONDS)


class SecretOut(BaseModel):
    """The end of a secret, and until when it is accepted if it was replaced."""

    last4: str
    until: int | None


class HealthOut(BaseModel):
    """What came of a source: deliveries that were stored, new items, and what was refused as there
    was no room for it. Times are milliseconds since 1970 in UTC.
    """

    deliveries: int
    items: int
    refused: int
    last_delivery: int | None
    last_error: str | None
    last_error_at: int | None


class SourceOut(BaseModel):
    """A source, without its secrets. What is `built_in` can't be removed."""

    id: str
    project: str
    kind: str
    name: str
    built_in: bool
    enabled: bool
    filters: SourceFilters
    per_minute: int
    config: dict[str, Any]
    webhook: str | None = Field(description="The address to paste at the sender's")
    secrets: list[SecretOut]
    health: HealthOut


class SourceMade(SourceOut):
    """A source with the secret that it was given just now, which is not shown again."""

    secret: str | None
